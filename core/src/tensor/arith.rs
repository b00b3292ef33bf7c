//! Arithmetic on dimensions: typenum computes, and the results come back as [`D`], which errors print.

use std::ops::{Add, Div, Mul, Rem, Sub};

use typenum::{B0, B1, Diff, Mod, Prod, Quot, Sum, U1000, UInt, UTerm, Unsigned};

use crate::dim::{Batch, D, Digits, Dim, Len, Static};
use crate::shape::Never;

/// A number below 1000 as the group of digits that writes it: the inverse of [`crate::dim::Group`].
pub trait ThreeDigits {
    type Digits;
}

/// A number as groups of digits.
pub trait Groups {
    type Groups;
}

/// One to four groups of three digits.
pub struct G1<const A: usize>;
pub struct G2<const A: usize, const B: usize>;
pub struct G3<const A: usize, const B: usize, const C: usize>;
pub struct G4<const A: usize, const B: usize, const C: usize, const E: usize>;

/// Groups as the dimension that they write.
pub trait Written {
    type D: Static;
}
impl<const A: usize> Written for G1<A>
where
    D<A>: Static,
{
    type D = D<A>;
}
impl<const A: usize, const B: usize> Written for G2<A, B>
where
    D<A, B>: Static,
{
    type D = D<A, B>;
}
impl<const A: usize, const B: usize, const C: usize> Written for G3<A, B, C>
where
    D<A, B, C>: Static,
{
    type D = D<A, B, C>;
}
impl<const A: usize, const B: usize, const C: usize, const E: usize> Written for G4<A, B, C, E>
where
    D<A, B, C, E>: Static,
{
    type D = D<A, B, C, E>;
}

/// One more group on the right.
pub trait Push<Digits> {
    type Groups;
}
impl<const A: usize, const K: usize> Push<Digits<K>> for G1<A> {
    type Groups = G2<A, K>;
}
impl<const A: usize, const B: usize, const K: usize> Push<Digits<K>> for G2<A, B> {
    type Groups = G3<A, B, K>;
}
impl<const A: usize, const B: usize, const C: usize, const K: usize> Push<Digits<K>>
    for G3<A, B, C>
{
    type Groups = G4<A, B, C, K>;
}

/// Enumerates the numbers of at most ten bits, bit by bit. Those below 1000 are one group; more entries
/// would cost quadratically, so larger numbers are divided by 1000.
macro_rules! table {
    // The bits, the highest first, the number as a type and as a value; a mark for each bit to come.
    ([$($bit:tt)*] $u:ty, $value:expr; $mark:tt $($marks:tt)*) => {
        table!(@entry [$($bit)*] $u, $value);
        table!([$($bit)* 0] UInt<$u, B0>, 2 * $value; $($marks)*);
        table!([$($bit)* 1] UInt<$u, B1>, 2 * $value + 1; $($marks)*);
    };
    ([$($bit:tt)*] $u:ty, $value:expr;) => {
        table!(@entry [$($bit)*] $u, $value);
    };
    // 1008 to 1023, then 1000 to 1007.
    (@entry [1 1 1 1 1 1 $a:tt $b:tt $c:tt $d:tt] $u:ty, $value:expr) => {
        impl Groups for $u {
            type Groups = G2<1, { $value - 1000 }>;
        }
    };
    (@entry [1 1 1 1 1 0 1 $a:tt $b:tt $c:tt] $u:ty, $value:expr) => {
        impl Groups for $u {
            type Groups = G2<1, { $value - 1000 }>;
        }
    };
    (@entry [$($bit:tt)*] $u:ty, $value:expr) => {
        impl ThreeDigits for $u {
            type Digits = Digits<{ $value }>;
        }
        impl Groups for $u {
            type Groups = G1<{ $value }>;
        }
    };
}
table!(@entry [0] UTerm, 0);
table!([1] UInt<UTerm, B1>, 1; . . . . . . . . .);

/// Ten bits below a rest.
type Ten<R, A, B, C, E, F, G, H, I, J, K> =
    UInt<UInt<UInt<UInt<UInt<UInt<UInt<UInt<UInt<UInt<R, A>, B>, C>, E>, F>, G>, H>, I>, J>, K>;

#[diagnostic::do_not_recommend]
impl<U, Z, A, B, C, E, F, G, H, I, J, K> Groups for Ten<UInt<U, Z>, A, B, C, E, F, G, H, I, J, K>
where
    Self: Div<U1000> + Rem<U1000>,
    Quot<Self, U1000>: Groups<Groups: Push<<Mod<Self, U1000> as ThreeDigits>::Digits>>,
    Mod<Self, U1000>: ThreeDigits,
{
    type Groups = <<Quot<Self, U1000> as Groups>::Groups as Push<
        <Mod<Self, U1000> as ThreeDigits>::Digits,
    >>::Groups;
}

/// A number of typenum as a dimension.
pub trait ToD {
    type D: Static;
}
#[diagnostic::do_not_recommend]
impl<U: Groups<Groups: Written>> ToD for U {
    type D = <U::Groups as Written>::D;
}

/// The sum of two sizes along an axis.
pub trait AddDim<R: Dim>: Dim {
    type Out: Dim;
}
#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, const E: usize, R: Static> AddDim<R>
    for D<A, B, C, E>
where
    Self: Static<U: Add<R::U, Output: ToD>>,
{
    type Out = <Sum<<Self as Static>::U, R::U> as ToD>::D;
}
#[diagnostic::do_not_recommend]
impl AddDim<Batch> for Batch {
    type Out = Batch;
}
#[diagnostic::do_not_recommend]
impl AddDim<Len> for Len {
    type Out = Len;
}

/// Equality of two types, with a second candidate, so that inference does not equate them itself.
pub trait Same<T> {}
#[diagnostic::do_not_recommend]
impl<T> Same<T> for T {}
#[diagnostic::do_not_recommend]
impl<T> Same<Never<T>> for T {}

/// A size that holds `LEN` elements from `START` on; one known at run time is checked then.
#[diagnostic::on_unimplemented(
    message = "slice beyond the end: {LEN} elements from {START} on of an axis of size {Self}",
    label = "the axis has size {Self}"
)]
pub trait HasRange<const START: usize, const LEN: usize>: Dim {}
#[diagnostic::do_not_recommend]
impl<
    const A: usize,
    const B: usize,
    const C: usize,
    const E: usize,
    const START: usize,
    const LEN: usize,
> HasRange<START, LEN> for D<A, B, C, E>
where
    D<START>: Static,
    D<LEN>: Static,
    Self: Static<U: Sub<<D<START> as Static>::U, Output: Sub<<D<LEN> as Static>::U>>>,
    Diff<Diff<<Self as Static>::U, <D<START> as Static>::U>, <D<LEN> as Static>::U>: Unsigned,
{
}
#[diagnostic::do_not_recommend]
impl<const START: usize, const LEN: usize> HasRange<START, LEN> for Batch {}
#[diagnostic::do_not_recommend]
impl<const START: usize, const LEN: usize> HasRange<START, LEN> for Len {}

/// A shape of which every size is constant, except that a batch may be in front.
pub trait Count {
    /// The number of elements, of one sample where there is a batch.
    type N: Unsigned;
    /// What is in front.
    type Front: Front;
    /// The number of samples; 0 where there is no batch.
    fn samples(&self) -> usize;
    /// The shape for so many samples; the number means nothing where there is no batch.
    fn for_samples(samples: usize) -> Self;
}

/// No batch in front.
pub struct Alone;

/// What is in front of the constant sizes of a shape.
pub trait Front {
    /// A shape with one further axis.
    type And<N: Static>: crate::shape::Shape;
    fn and<N: Static>(samples: usize) -> Self::And<N>;
}
impl Front for Alone {
    type And<N: Static> = (N,);
    fn and<N: Static>(_: usize) -> (N,) {
        (N::default(),)
    }
}
impl Front for Batch {
    type And<N: Static> = (Batch, N);
    fn and<N: Static>(samples: usize) -> (Batch, N) {
        (Batch(samples), N::default())
    }
}

/// A product of numbers, from the right.
macro_rules! product {
    () => { typenum::U1 };
    ($a:ident) => { <$a as Static>::U };
    ($a:ident $($rest:ident)+) => { Prod<<$a as Static>::U, product!($($rest)+)> };
}
/// Implements [`Count`] for a tuple, with the bounds of each partial product.
macro_rules! counts {
    ($([$($all:ident)*] $({$left:ident: $($right:ident)+})*;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($all: Static),*> Count for ($($all,)*)
        where $(<$left as Static>::U: Mul<product!($($right)+)>,
            product!($left $($right)+): Unsigned),*
        {
            type N = product!($($all)*);
            type Front = Alone;
            fn samples(&self) -> usize {
                0
            }
            fn for_samples(_: usize) -> Self {
                Default::default()
            }
        }
        #[diagnostic::do_not_recommend]
        impl<$($all: Static),*> Count for (Batch, $($all,)*)
        where $(<$left as Static>::U: Mul<product!($($right)+)>,
            product!($left $($right)+): Unsigned),*
        {
            type N = product!($($all)*);
            type Front = Batch;
            fn samples(&self) -> usize {
                self.0.0
            }
            fn for_samples(samples: usize) -> Self {
                (Batch(samples), $($all::default(),)*)
            }
        }
    )* };
}
counts! {
    [];
    [A];
    [A B] {A: B};
    [A B C] {A: B C} {B: C};
    [A B C F] {A: B C F} {B: C F} {C: F};
    [A B C F G] {A: B C F G} {B: C F G} {C: F G} {F: G};
}
