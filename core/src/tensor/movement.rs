//! Elements in another order or shape: transpose, permute, reshape, flatten, concat, stack.

use typenum::{Diff, Pow, Sum, U0, U1, U2, U3, U4, U5, U6, U8, U16, U32};

use super::Tensor;
use super::arith::{Count, Front, Same, ToD};
use super::axes::{Concat, HasAxis, NewAxis};
use super::reduce::split;
use crate::dim::{D, Dim, Static};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{MAX_RANK, Shape};

/// The number of an axis, from 0, as a value: for [`Tensor::permute`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Axis<const AXIS: usize>;

/// The axis as a bit: a sum of them is all ones only where every axis occurs once.
#[doc(hidden)]
pub trait AxisBit {
    type Bit;
}
macro_rules! bits {
    ($($n:literal $bit:ident)*) => { $(
        impl AxisBit for Axis<$n> {
            type Bit = $bit;
        }
    )* };
}
bits! { 0 U1 1 U2 2 U4 3 U8 4 U16 5 U32 }

/// A shape whose axes can be put in the order `P`, a tuple of [`Axis`].
#[diagnostic::on_unimplemented(
    message = "the axes of a tensor of shape {Self} cannot be ordered as {P}",
    label = "the order names every axis once, from `Axis::<0>` on"
)]
pub trait Permute<P>: Shape {
    /// The shape in the new order.
    type Out: Shape;
    #[doc(hidden)]
    const ORDER: [usize; MAX_RANK];
    #[doc(hidden)]
    fn permuted(&self) -> Self::Out;
}
macro_rules! permutes {
    (@sum $a:ident) => { <Axis<$a> as AxisBit>::Bit };
    (@sum $a:ident $($rest:ident)+) => { Sum<<Axis<$a> as AxisBit>::Bit, permutes!(@sum $($rest)+)> };
    ($($all:ident [$($p:ident)*] {$($left:ident: $($right:ident)+;)*};)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<S, $(const $p: usize),*> Permute<($(Axis<$p>,)*)> for S
        where
            $(S: HasAxis<$p>, Axis<$p>: AxisBit,)*
            $(<Axis<$left> as AxisBit>::Bit: std::ops::Add<permutes!(@sum $($right)+)>,)*
            permutes!(@sum $($p)*): Same<Ones<$all>>,
            S: OfRank<$all>,
        {
            type Out = ($(<S as HasAxis<$p>>::Axis,)*);
            const ORDER: [usize; MAX_RANK] = {
                let order = [$($p),*];
                let mut all = [0; MAX_RANK];
                let mut i = 0;
                while i < order.len() {
                    all[i] = order[i];
                    i += 1;
                }
                all
            };
            fn permuted(&self) -> Self::Out {
                ($(HasAxis::<$p>::axis(self),)*)
            }
        }
    )* };
}
/// 2^n - 1.
type Ones<N> = Diff<<U2 as Pow<N>>::Output, U1>;
permutes! {
    U1 [A] {};
    U2 [A B] {A: B;};
    U3 [A B C] {A: B C; B: C;};
    U4 [A B C F] {A: B C F; B: C F; C: F;};
    U5 [A B C F G] {A: B C F G; B: C F G; C: F G; F: G;};
    U6 [A B C F G H] {A: B C F G H; B: C F G H; C: F G H; F: G H; G: H;};
}

/// A shape of `N` axes.
#[doc(hidden)]
pub trait OfRank<N> {}
/// A shape whose last two axes are exchanged by a transpose.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape {Self} cannot be transposed: that needs at least two axes"
)]
pub trait Transpose: Shape {
    /// The shape with the last two axes exchanged.
    type Out: Shape;
    #[doc(hidden)]
    fn transposed(&self) -> Self::Out;
}
macro_rules! ranks {
    ($($n:ident [$($a:ident)*];)*) => { $(
        impl<$($a),*> OfRank<$n> for ($($a,)*) {}
    )* };
}
ranks! { U0 []; U1 [A]; U2 [A B]; U3 [A B C]; U4 [A B C F]; U5 [A B C F G]; U6 [A B C F G H]; }
macro_rules! transposes {
    ($([$($a:ident)*];)*) => { $(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($a: Dim,)* Y: Dim, X: Dim> Transpose for ($($a,)* Y, X) {
            type Out = ($($a,)* X, Y);
            fn transposed(&self) -> Self::Out {
                let ($($a,)* y, x) = *self;
                ($($a,)* x, y)
            }
        }
    )* };
}
transposes! { []; [A]; [A B]; [A B C]; [A B C F]; }

/// A shape with as many elements as `T`: constant sizes, and where a batch is in front, in front of both.
#[diagnostic::on_unimplemented(
    message = "cannot reshape {Self} to {T}: the numbers of elements differ",
    label = "{Self} and {T} must have the same number of elements",
    note = "sizes must be constant, except for a `Batch` in front of both: `try_reshape` compares sizes at run time"
)]
pub trait SameCount<T>: Shape {
    #[doc(hidden)]
    fn reshaped(&self) -> T;
}
#[diagnostic::do_not_recommend]
impl<S, T> SameCount<T> for S
where
    S: Shape + Count,
    T: Count,
    S::N: Same<T::N>,
    S::Front: Same<T::Front>,
{
    fn reshaped(&self) -> T {
        T::for_samples(self.samples())
    }
}

/// A shape whose axes can be made one, those of each sample where a batch is in front.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape {Self} cannot be flattened: sizes must be constant, except for a `Batch` in front"
)]
pub trait Flatten: Shape {
    /// The flat shape.
    type Out: Shape;
    #[doc(hidden)]
    fn flattened(&self) -> Self::Out;
}
#[diagnostic::do_not_recommend]
impl<S> Flatten for S
where
    S: Shape + Count<N: ToD>,
{
    type Out = <S::Front as Front>::And<<S::N as ToD>::D>;
    fn flattened(&self) -> Self::Out {
        S::Front::and(self.samples())
    }
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// The sizes of the axes.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{Batch, D}, tensor::Tensor};
    /// assert_eq!(Tensor::<_>::zeros((Batch(4), D::<3>)).sizes(), [4, 3]);
    /// ```
    pub fn sizes(&self) -> Vec<usize> {
        self.shape.sizes()[..S::RANK].to_vec()
    }

    /// The last two axes exchanged: rows become columns.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(t.transpose(), Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn transpose(&self) -> Tensor<S::Out, E>
    where
        S: Transpose,
    {
        let mut order = [0, 1, 2, 3, 4, 5];
        order.swap(S::RANK - 1, S::RANK - 2);
        self.reordered(self.shape.transposed(), order)
    }

    /// The axes in another order: axis `i` of the result is the one that the order names at place `i`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::{Axis, Tensor}};
    /// let images = Tensor::<_>::zeros((D::<8>, D::<9>, D::<3>)); // [height, width, channels]
    /// let planes = images.permute((Axis::<2>, Axis::<0>, Axis::<1>));
    /// assert_eq!(planes.shape(), (D::<3>, D::<8>, D::<9>));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn permute<P>(&self, _order: P) -> Tensor<S::Out, E>
    where
        S: Permute<P>,
    {
        self.reordered(self.shape.permuted(), S::ORDER)
    }

    /// A copy with shape `shape`, whose axis `i` is this tensor's axis `order[i]`.
    fn reordered<T: Shape>(&self, shape: T, order: [usize; MAX_RANK]) -> Tensor<T, E> {
        let (own, sizes, rank) = (self.shape.sizes(), shape.sizes(), T::RANK);
        let mut strides = [0; MAX_RANK];
        for (stride, &axis) in strides[..rank].iter_mut().zip(&order) {
            *stride = own[axis + 1..].iter().product();
        }
        let data = self.as_slice();
        let mut at = [0; MAX_RANK];
        let mut from = 0;
        Tensor::from_fn(shape, |_| {
            let element = data[from];
            // The next position, like a counter whose digits are the axes.
            for axis in (0..rank).rev() {
                at[axis] += 1;
                from += strides[axis];
                if at[axis] < sizes[axis] {
                    break;
                }
                from -= at[axis] * strides[axis];
                at[axis] = 0;
            }
            element
        })
    }

    /// The elements, in the same order, in another shape of as many: `t.reshape::<(D<6>,)>()`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{Batch, D}, tensor::Tensor};
    /// let t = Tensor::<_>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let u = t.reshape::<(D<3>, D<2>)>();
    /// assert_eq!(u, Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let x = Tensor::<_>::zeros((Batch(5), D::<4>)).reshape::<(Batch, D<2>, D<2>)>();
    /// assert_eq!(x.sizes(), [5, 2, 2]);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn reshape<T: Shape>(&self) -> Tensor<T, E>
    where
        S: SameCount<T>,
    {
        Tensor::build(self.shape.reshaped(), |out| out.copy_from_slice(self.as_slice()))
    }

    /// All axes in one; those of each sample where a batch is in front.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{Batch, D}, tensor::Tensor};
    /// let t = Tensor::<_>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(t.flatten(), Tensor::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    /// let x = Tensor::<_>::zeros((Batch(5), D::<40>, D::<50>)).flatten();
    /// assert_eq!(x.shape(), (Batch(5), D::<2, 0>));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn flatten(&self) -> Tensor<S::Out, E>
    where
        S: Flatten,
    {
        Tensor::build(self.shape.flattened(), |out| out.copy_from_slice(self.as_slice()))
    }

    /// The elements, in the same order, in a shape given by value.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{D, Len}, tensor::Tensor};
    /// let t = Tensor::<_>::zeros((Len(4), D::<3>));
    /// assert_eq!(t.try_reshape((Len(2), D::<6>))?.sizes(), [2, 6]);
    /// assert!(t.try_reshape((Len(3), D::<6>)).is_err());
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the shape has not as many elements.
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn try_reshape<T: Shape>(&self, shape: T) -> Result<Tensor<T, E>> {
        let data = self.as_slice();
        if shape.numel() != data.len() {
            return Err(Error::Size {
                what: format!("reshape from {:?}", self.sizes()),
                expected: format!("a shape of {} elements", data.len()),
                found: format!("{:?} of {}", &shape.sizes()[..T::RANK], shape.numel()),
            });
        }
        Ok(Tensor::build(shape, |out| out.copy_from_slice(data)))
    }

    /// This tensor and then `other`, along an axis; the other axes must be the same.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let a = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::<_>::from([[5.0], [6.0]]);
    /// assert_eq!(a.concat::<1, _>(&b), Tensor::from([[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]));
    /// ```
    ///
    /// # Panics
    /// If sizes that are known only at run time differ in the other axes, or there is no memory for the result.
    #[track_caller]
    pub fn concat<const AXIS: usize, R: Shape>(
        &self,
        other: &Tensor<R, E>,
    ) -> Tensor<S::With<S::Sum>, E>
    where
        S: Concat<AXIS, R>,
    {
        let [outer, left, inner] = split(self.shape.sizes(), AXIS);
        let (mut own, mut others) = (self.sizes(), other.sizes());
        let right = others[AXIS];
        (own[AXIS], others[AXIS]) = (0, 0);
        assert!(
            own == others,
            "concat along axis {AXIS}: {:?} and {:?}: the other axes must be the same",
            self.sizes(),
            other.sizes()
        );
        let Some(sum) = S::Sum::of_size(left + right) else {
            unreachable!("the sum of {left} and {right} as a type");
        };
        let (left, right) = (left * inner, right * inner);
        Tensor::build(self.shape.with(sum), |out| {
            for i in 0..outer {
                let part = &mut out[i * (left + right)..][..left + right];
                part[..left].copy_from_slice(&self.as_slice()[i * left..][..left]);
                part[left..].copy_from_slice(&other.as_slice()[i * right..][..right]);
            }
        })
    }

    /// Tensors of one shape side by side along a new axis.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let (a, b) = (Tensor::<_>::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
    /// assert_eq!(Tensor::stack::<0, 2>([&a, &b]), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(Tensor::stack::<1, 2>([&a, &b]), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// ```
    ///
    /// # Panics
    /// If sizes that are known only at run time differ, there are no parts, or there is no memory for the result.
    #[track_caller]
    pub fn stack<const AXIS: usize, const PARTS: usize>(
        parts: [&Self; PARTS],
    ) -> Tensor<S::And<D<PARTS>>, E>
    where
        S: NewAxis<AXIS>,
        D<PARTS>: Static,
    {
        assert!(PARTS > 0, "stack: no parts; give at least one");
        let shape = parts[0].shape;
        for part in parts {
            assert!(
                part.shape == shape,
                "stack: parts of sizes {:?} and {:?}: they must be the same",
                parts[0].sizes(),
                part.sizes()
            );
        }
        let inner: usize = shape.sizes()[AXIS..].iter().product();
        Tensor::build(shape.and(D::<PARTS>), |out| {
            for (i, out) in out.chunks_exact_mut(inner.max(1)).enumerate() {
                let part = parts[i % PARTS].as_slice();
                out.copy_from_slice(&part[i / PARTS * inner..][..inner]);
            }
        })
    }
}
