//! Dimensions as types: what a wrong shape is made of, and what rustc prints of it.
//!
//! `D<784>` is what users write and read. `<D<784> as Static>::U` is typenum's `U784`, on which
//! type-level arithmetic is done. [`Batch`] and [`Len`] are sizes that are known only at run time.

use typenum::{Const, Prod, Sum, ToUInt, U1000, UInt, UTerm, Unsigned};

/// No digits in this position of a [`D`]. Its defaults repeat it as a literal, because rustc leaves
/// a default out of a printed type only then.
pub const NONE: usize = 4294967295;

/// A constant dimension, in groups of three decimal digits: `D<784>`, `D<50, 257>`.
///
/// Sizes of 1000 and more are easier to write as `dim!(50257)`.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{D, Dim};
/// assert_eq!(<D<784>>::default().size(), 784);
/// assert_eq!(<D<50, 257>>::default().size(), 50_257);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct D<
    const A: usize,
    const B: usize = 4294967295,
    const C: usize = 4294967295,
    const E: usize = 4294967295,
>;

/// The number of samples in a tensor: a size known at run time, always the outermost axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch(pub usize);

/// A size known at run time, such as the length of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Len(pub usize);

/// One axis of a tensor's shape.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tensor dimension",
    note = "a dimension is `D<N>` for N < 1000; larger ones are written `dim!(N)`, for example `dim!(50257)`"
)]
pub trait Dim: Copy + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// The size, where it is part of the type.
    const FIXED: Option<usize>;
    /// What a message says where the size is not part of the type.
    #[doc(hidden)]
    const NAME: &'static str;
    /// The number of points along the axis.
    fn size(&self) -> usize;
    /// The axis of `n` points. `None` where the size is part of the type and differs.
    fn of_size(n: usize) -> Option<Self>;
}

/// A dimension whose size is part of its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a constant tensor dimension",
    note = "a constant dimension is `D<N>` for N < 1000; larger ones are written `dim!(N)`, for example `dim!(50257)`"
)]
pub trait Static: Dim + Default {
    /// The size as a number of typenum.
    type U: Unsigned;
    /// The size.
    const N: usize;
}

impl Dim for Batch {
    const FIXED: Option<usize> = None;
    const NAME: &'static str = "batch";
    fn size(&self) -> usize {
        self.0
    }
    fn of_size(n: usize) -> Option<Self> {
        Some(Self(n))
    }
}

impl Dim for Len {
    const FIXED: Option<usize> = None;
    const NAME: &'static str = "len";
    fn size(&self) -> usize {
        self.0
    }
    fn of_size(n: usize) -> Option<Self> {
        Some(Self(n))
    }
}

/// One group of digits: what [`D`]'s const parameters become before typenum takes over.
#[doc(hidden)]
pub struct Digits<const K: usize>;
/// The absence of a group.
#[doc(hidden)]
pub struct NoDigits;

/// A group of digits as a number of typenum, or [`NoDigits`].
#[doc(hidden)]
pub trait Group {
    type U;
}
impl Group for Digits<NONE> {
    type U = NoDigits;
}

/// `accumulator * 1000 + group`, or the accumulator where there is no group.
#[doc(hidden)]
pub trait Append<Acc> {
    type Out: Unsigned;
}
impl<Acc: Unsigned> Append<Acc> for NoDigits {
    type Out = Acc;
}
impl<Acc> Append<Acc> for UTerm
where
    Acc: std::ops::Mul<U1000>,
    Prod<Acc, U1000>: Unsigned,
{
    type Out = Prod<Acc, U1000>;
}
impl<Acc, U, B> Append<Acc> for UInt<U, B>
where
    Acc: std::ops::Mul<U1000>,
    Prod<Acc, U1000>: std::ops::Add<UInt<U, B>>,
    Sum<Prod<Acc, U1000>, UInt<U, B>>: Unsigned,
{
    type Out = Sum<Prod<Acc, U1000>, UInt<U, B>>;
}

/// Implements [`Group`] for every three digits, a hundred to a line below.
macro_rules! groups {
    ($($hundreds:literal)*) => { $(
        groups!(@tens $hundreds 0 1 2 3 4 5 6 7 8 9);
    )* };
    (@tens $h:literal $($t:literal)*) => { $(
        groups!(@ones $h $t 0 1 2 3 4 5 6 7 8 9);
    )* };
    (@ones $h:literal $t:literal $($o:literal)*) => { $(
        impl Group for Digits<{ $h * 100 + $t * 10 + $o }> {
            type U = <Const<{ $h * 100 + $t * 10 + $o }> as ToUInt>::Output;
        }
    )* };
}
groups!(0 1 2 3 4 5 6 7 8 9);

type GroupOf<const K: usize> = <Digits<K> as Group>::U;
type Then<const K: usize, Acc> = <GroupOf<K> as Append<Acc>>::Out;

impl<const A: usize, const B: usize, const C: usize, const E: usize> Dim for D<A, B, C, E>
where
    D<A, B, C, E>: Static,
{
    const FIXED: Option<usize> = Some(Self::N);
    const NAME: &'static str = "";
    fn size(&self) -> usize {
        Self::N
    }
    fn of_size(n: usize) -> Option<Self> {
        (n == Self::N).then_some(D)
    }
}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, const E: usize> Static for D<A, B, C, E>
where
    Digits<A>: Group<U: Unsigned>,
    Digits<B>: Group<U: Append<GroupOf<A>>>,
    Digits<C>: Group<U: Append<Then<B, GroupOf<A>>>>,
    Digits<E>: Group<U: Append<Then<C, Then<B, GroupOf<A>>>>>,
{
    type U = Then<E, Then<C, Then<B, GroupOf<A>>>>;
    const N: usize = <Self::U as Unsigned>::USIZE;
}

/// Group `i`, from the left, of the decimal digits of `n`; [`NONE`] where there is none.
#[doc(hidden)]
pub const fn group(n: usize, i: usize) -> usize {
    let mut groups = 1;
    let mut rest = n;
    while rest >= 1000 {
        rest /= 1000;
        groups += 1;
    }
    if i >= groups {
        return NONE;
    }
    let mut rest = n;
    let mut skip = groups - 1 - i;
    while skip > 0 {
        rest /= 1000;
        skip -= 1;
    }
    rest % 1000
}

/// The dimension type of a constant: `dim!(50257)`, `dim!(HIDDEN)`, `dim!(2 * HIDDEN)`.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{D, Dim};
/// const HIDDEN: usize = 1024;
/// let hidden: netform::dim!(HIDDEN) = D::<1, 24>;
/// assert_eq!(hidden.size(), 1024);
/// ```
#[macro_export]
macro_rules! dim {
    ($n:expr) => {
        $crate::dim::D<
            { $crate::dim::group($n, 0) },
            { $crate::dim::group($n, 1) },
            { $crate::dim::group($n, 2) },
            { $crate::dim::group($n, 3) },
        >
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_typenum_agree() {
        assert_eq!(<D<0> as Static>::N, 0);
        assert_eq!(<D<784> as Static>::N, 784);
        assert_eq!(<D<1, 0> as Static>::N, 1000);
        assert_eq!(<D<50, 257> as Static>::N, 50257);
        assert_eq!(<D<1, 2, 3, 4> as Static>::N, 1_002_003_004);
        assert_eq!(<crate::dim!(1_002_003) as Static>::N, 1_002_003);
    }

    #[test]
    fn rustc_prints_decimals() {
        let name = std::any::type_name::<D<784>>();
        assert!(name.contains("D<784"), "{name}");
        assert!(!name.contains("UInt"), "{name}");
    }
}
