//! Element by element: arithmetic with broadcasting, functions, comparisons, selection, conversion.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Tensor;
use super::axes::Broadcast;
use super::number::Number;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::shape::{MAX_RANK, Never, Shape};

/// The shape of what a condition chooses among, against the condition's.
#[diagnostic::on_unimplemented(
    message = "shape mismatch: a condition of shape {Condition} cannot choose elements of shape {Self}",
    label = "these have shape {Self}, the condition has {Condition}",
    note = "`select` takes three tensors of one shape"
)]
pub trait Alternative<Condition> {}
#[diagnostic::do_not_recommend]
impl<S> Alternative<S> for S {}
#[diagnostic::do_not_recommend]
impl<S> Alternative<Never<S>> for S {}

/// The elements that a tensor of `sizes` moves on by per axis of a result of rank `rank`: 0 where it
/// broadcasts. Axes are aligned at the last one.
fn strides(sizes: [usize; MAX_RANK], own: usize, rank: usize) -> [usize; MAX_RANK] {
    let mut strides = [0; MAX_RANK];
    let mut step = 1;
    for axis in (0..own).rev() {
        if sizes[axis] != 1 {
            strides[axis + rank - own] = step;
        }
        step *= sizes[axis];
    }
    strides
}

/// `out = f(left, right)` over a result of `sizes`, a row of the last axis at a time.
fn zip_into<A: Copy, B: Copy, T>(
    out: &mut [T],
    sizes: &[usize],
    (left, left_strides): (&[A], [usize; MAX_RANK]),
    (right, right_strides): (&[B], [usize; MAX_RANK]),
    f: impl Fn(A, B) -> T,
) {
    if out.is_empty() {
        return;
    }
    let Some((&row, outer)) = sizes.split_last() else {
        out[0] = f(left[0], right[0]);
        return;
    };
    let last = outer.len();
    for (i, out) in out.chunks_exact_mut(row).enumerate() {
        let (mut rest, mut l, mut r) = (i, 0, 0);
        for axis in (0..last).rev() {
            l += rest % outer[axis] * left_strides[axis];
            r += rest % outer[axis] * right_strides[axis];
            rest /= outer[axis];
        }
        match (left_strides[last], right_strides[last]) {
            (0, 0) => out.iter_mut().for_each(|o| *o = f(left[l], right[r])),
            (0, _) => out.iter_mut().zip(&right[r..]).for_each(|(o, &y)| *o = f(left[l], y)),
            (_, 0) => out.iter_mut().zip(&left[l..]).for_each(|(o, &x)| *o = f(x, right[r])),
            _ => {
                let pairs = left[l..].iter().zip(&right[r..]);
                out.iter_mut().zip(pairs).for_each(|(o, (&x, &y))| *o = f(x, y));
            }
        }
    }
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// `f` of every element.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([1.0, 2.0]).map(|x| 10.0 * x + 1.0);
    /// assert_eq!(t, Tensor::from([11.0, 21.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn map<T: Element>(&self, f: impl Fn(E) -> T) -> Tensor<S, T> {
        let data = self.as_slice();
        Tensor::build(self.shape, |out| out.iter_mut().zip(data).for_each(|(o, &x)| *o = f(x)))
    }

    /// `f` of every pair of elements, with broadcasting: what the operators `+ - * /` are made of.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let a = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::<_>::from([10.0, 20.0]);
    /// assert_eq!(a.zip(&b, |x, y| x - y), Tensor::from([[-9.0, -18.0], [-7.0, -16.0]]));
    /// ```
    ///
    /// # Panics
    /// If sizes that are known only at run time (`Batch`, `Len`) differ: [`Tensor::try_zip`] returns that as an
    /// error. If there is no memory for the result.
    #[track_caller]
    pub fn zip<R: Shape, F: Element, T: Element>(
        &self,
        right: &Tensor<R, F>,
        f: impl Fn(E, F) -> T,
    ) -> Tensor<S::Out, T>
    where
        S: Broadcast<R>,
    {
        match self.try_zip(right, f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// [`Tensor::zip`] for tensors with axes whose sizes are known only at run time.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{Batch, D}, tensor::Tensor};
    /// let a = Tensor::<_>::ones((Batch(2), D::<3>));
    /// let b = Tensor::<_>::ones((Batch(4), D::<3>));
    /// let error = a.try_zip(&b, |x, y| x + y).unwrap_err();
    /// assert!(error.to_string().contains("[2, 3]"), "{error}");
    /// ```
    ///
    /// # Errors
    /// If such sizes differ.
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn try_zip<R: Shape, F: Element, T: Element>(
        &self,
        right: &Tensor<R, F>,
        f: impl Fn(E, F) -> T,
    ) -> Result<Tensor<S::Out, T>>
    where
        S: Broadcast<R>,
    {
        let shape = self.shape.broadcast(&right.shape).ok_or_else(|| Error::Size {
            what: "an operation on two tensors with broadcasting".to_owned(),
            expected: format!("sizes that broadcast with {:?}", self.sizes()),
            found: format!("{:?}", right.sizes()),
        })?;
        let rank = <S::Out as Shape>::RANK;
        let left_strides = strides(self.shape.sizes(), S::RANK, rank);
        let right_strides = strides(right.shape.sizes(), R::RANK, rank);
        let (left, right) = (self.as_slice(), right.as_slice());
        Ok(Tensor::build(shape, |out| {
            let sizes = &shape.sizes()[..rank];
            zip_into(out, sizes, (left, left_strides), (right, right_strides), f);
        }))
    }
}

macro_rules! operators {
    ($($op:ident $method:ident;)*) => { $(
        impl<S: Broadcast<R>, R: Shape, E: Number> $op<&Tensor<R, E>> for &Tensor<S, E> {
            type Output = Tensor<S::Out, E>;
            /// With broadcasting.
            ///
            /// # Panics
            /// As [`Tensor::zip`].
            #[track_caller]
            fn $method(self, right: &Tensor<R, E>) -> Self::Output {
                self.zip(right, |x, y| $op::$method(x, y))
            }
        }
        operators!(@owned $op $method [Tensor<S, E>] [Tensor<R, E>] |l, r| (&l, &r));
        operators!(@owned $op $method [&Tensor<S, E>] [Tensor<R, E>] |l, r| (l, &r));
        operators!(@owned $op $method [Tensor<S, E>] [&Tensor<R, E>] |l, r| (&l, r));
        operators!(@scalar $op $method [Tensor<S, E>]);
        operators!(@scalar $op $method [&Tensor<S, E>]);
        operators!(@left $op $method f32 f64 u32);
    )* };
    (@owned $op:ident $method:ident [$left:ty] [$right:ty] |$l:ident, $r:ident| ($x:expr, $y:expr)) => {
        impl<S: Broadcast<R>, R: Shape, E: Number> $op<$right> for $left {
            type Output = Tensor<S::Out, E>;
            /// With broadcasting.
            ///
            /// # Panics
            /// As [`Tensor::zip`].
            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                let ($l, $r) = (self, right);
                $op::$method($x, $y)
            }
        }
    };
    (@scalar $op:ident $method:ident [$left:ty]) => {
        impl<S: Shape, E: Number> $op<E> for $left {
            type Output = Tensor<S, E>;
            /// With every element.
            fn $method(self, right: E) -> Self::Output {
                self.map(|x| $op::$method(x, right))
            }
        }
    };
    (@left $op:ident $method:ident $($t:ty)*) => { $(
        impl<S: Shape> $op<Tensor<S, $t>> for $t {
            type Output = Tensor<S, $t>;
            /// With every element.
            fn $method(self, right: Tensor<S, $t>) -> Self::Output {
                right.map(|y| $op::$method(self, y))
            }
        }
        impl<S: Shape> $op<&Tensor<S, $t>> for $t {
            type Output = Tensor<S, $t>;
            /// With every element.
            fn $method(self, right: &Tensor<S, $t>) -> Self::Output {
                right.map(|y| $op::$method(self, y))
            }
        }
    )* };
}
operators! { Add add; Sub sub; Mul mul; Div div; }

impl<S: Shape, E: Float> Neg for &Tensor<S, E> {
    type Output = Tensor<S, E>;
    fn neg(self) -> Tensor<S, E> {
        self.map(|x| -x)
    }
}
impl<S: Shape, E: Float> Neg for Tensor<S, E> {
    type Output = Tensor<S, E>;
    fn neg(self) -> Tensor<S, E> {
        self.map(|x| -x)
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($x:literal) = $y:literal, $f:expr;)*) => {
        impl<S: Shape, E: Float> Tensor<S, E> { $(
            $(#[$doc])*
            ///
            /// ```
            /// # extern crate netform_core as netform;
            /// use netform::tensor::Tensor;
            #[doc = concat!("let y = Tensor::<_>::from([", $x, "]).", stringify!($name), "();")]
            #[doc = concat!("assert!(y.all_close(&Tensor::from([", $y, "]), 1e-5, 1e-6), \"{y}\");")]
            /// ```
            ///
            /// # Panics
            /// If there is no memory for the result.
            pub fn $name(&self) -> Self {
                self.map($f)
            }
        )* }
    };
}
functions! {
    /// e to the power of every element.
    exp("0.0, 1.0") = "1.0, 2.7182818", E::exp;
    /// The natural logarithm of every element.
    ln("1.0, 10.0") = "0.0, 2.3025851", E::ln;
    /// The square root of every element.
    sqrt("4.0, 2.0") = "2.0, 1.4142135", E::sqrt;
    /// Every element times itself.
    square("-3.0, 0.5") = "9.0, 0.25", |x| x * x;
    /// The sine of every element, an angle in radians.
    sin("0.0, 1.5707963") = "0.0, 1.0", E::sin;
    /// The cosine of every element, an angle in radians.
    cos("0.0, 3.1415927") = "1.0, -1.0", E::cos;
    /// The hyperbolic tangent of every element.
    tanh("0.0, 1.0") = "0.0, 0.7615942", E::tanh;
    /// 1 / (1 + e^-x) of every element.
    sigmoid("0.0, 2.0") = "0.5, 0.880797", E::sigmoid;
    /// Every element, or 0 where it is smaller.
    relu("-1.0, 2.0") = "0.0, 2.0", |x| if x < E::ZERO { E::ZERO } else { x };
    /// The absolute value of every element.
    abs("-1.5, 2.0") = "1.5, 2.0", E::abs;
    /// The nearest whole number to every element; the even one where two are, as PyTorch.
    round("0.5, 1.5, -2.7") = "0.0, 2.0, -3.0", |x: E| E::from_f64(x.to_f64().round_ties_even());
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// Every element to the power of `y`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([2.0, 3.0]).pow(2.0), Tensor::from([4.0, 9.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn pow(&self, y: E) -> Self {
        self.map(|x| x.powf(y))
    }

    /// Whether all elements are near those of `other`: `|x - y| <= atol + rtol * |y|`, as
    /// [`torch.allclose`](https://pytorch.org/docs/stable/generated/torch.allclose.html). Never where sizes
    /// differ or an element is not a number.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([1.0, 2.0]);
    /// assert!(t.all_close(&(&t + 1e-6), 1e-5, 0.0));
    /// assert!(!t.all_close(&(&t + 1e-3), 1e-5, 0.0));
    /// ```
    pub fn all_close(&self, other: &Self, rtol: f64, atol: f64) -> bool {
        let near = |(x, y): (&E, &E)| {
            let (x, y) = (x.to_f64(), y.to_f64());
            // Equal infinities have no difference.
            x == y || (x - y).abs() <= atol + rtol * y.abs() && y.is_finite()
        };
        self.shape == other.shape && self.as_slice().iter().zip(other.as_slice()).all(near)
    }
}

macro_rules! pairs {
    ($($(#[$doc:meta])* $name:ident = $y:literal, $f:expr;)*) => {
        impl<S: Shape, E: Number> Tensor<S, E> { $(
            $(#[$doc])*
            ///
            /// ```
            /// # extern crate netform_core as netform;
            /// use netform::tensor::Tensor;
            /// let (a, b) = (Tensor::<_>::from([1.0, 2.0, 3.0]), Tensor::from([2.0]));
            #[doc = concat!("assert_eq!(a.", stringify!($name), "(&b), Tensor::from([", $y, "]));")]
            /// ```
            ///
            /// # Panics
            /// As [`Tensor::zip`].
            #[track_caller]
            pub fn $name<R: Shape>(&self, other: &Tensor<R, E>) -> Tensor<S::Out, E>
            where
                S: Broadcast<R>,
            {
                self.zip(other, $f)
            }
        )* }
    };
}
/// 1 where a condition holds, else 0.
fn flag<E: Number>(condition: bool) -> E {
    if condition { E::UNIT } else { E::NOUGHT }
}
pairs! {
    /// The larger of two elements, with broadcasting; not a number where one of them is not.
    maximum = "2.0, 2.0, 3.0", larger;
    /// The smaller of two elements, with broadcasting; not a number where one of them is not.
    minimum = "1.0, 2.0, 2.0", smaller;
    /// 1 where two elements are equal, else 0, with broadcasting.
    eq = "0.0, 1.0, 0.0", |x, y| flag(x == y);
    /// 1 where two elements differ, else 0, with broadcasting.
    ne = "1.0, 0.0, 1.0", |x, y| flag(x != y);
    /// 1 where an element is less than the other, else 0, with broadcasting.
    lt = "1.0, 0.0, 0.0", |x, y| flag(x < y);
    /// 1 where an element is less than the other or equal, else 0, with broadcasting.
    le = "1.0, 1.0, 0.0", |x, y| flag(x <= y);
    /// 1 where an element is greater than the other, else 0, with broadcasting.
    gt = "0.0, 0.0, 1.0", |x, y| flag(x > y);
    /// 1 where an element is greater than the other or equal, else 0, with broadcasting.
    ge = "0.0, 1.0, 1.0", |x, y| flag(x >= y);
}

#[allow(clippy::eq_op)] // What is not a number is not equal to itself.
pub(super) fn larger<E: Number>(x: E, y: E) -> E {
    if x > y || x != x { x } else { y }
}
#[allow(clippy::eq_op)] // As above.
pub(super) fn smaller<E: Number>(x: E, y: E) -> E {
    if x < y || x != x { x } else { y }
}

impl<S: Shape, E: Number> Tensor<S, E> {
    /// The element of `then` where this tensor, a condition, is not 0, else that of `otherwise`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([-1.0, 2.0]);
    /// let positive = t.gt(&Tensor::scalar(0.0));
    /// assert_eq!(positive.select(&t, &(&t * 0.5)), Tensor::from([-0.5, 2.0]));
    /// ```
    ///
    /// # Panics
    /// If sizes that are known only at run time differ, or there is no memory for the result.
    #[track_caller]
    pub fn select<F, A, B>(&self, then: &Tensor<A, F>, otherwise: &Tensor<B, F>) -> Tensor<S, F>
    where
        F: Element,
        A: Shape + Alternative<S>,
        B: Shape + Alternative<S>,
    {
        assert!(
            self.sizes() == then.sizes() && self.sizes() == otherwise.sizes(),
            "select: the condition has sizes {:?}, the alternatives have {:?} and {:?}; they must be the same",
            self.sizes(),
            then.sizes(),
            otherwise.sizes(),
        );
        let condition = self.as_slice().iter();
        let values = then.as_slice().iter().zip(otherwise.as_slice());
        let chosen = condition.zip(values).map(|(&c, (&x, &y))| if c != E::NOUGHT { x } else { y });
        Tensor::build(self.shape, |out| out.iter_mut().zip(chosen).for_each(|(o, x)| *o = x))
    }

    /// Whether no element is 0.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert!(Tensor::<_>::from([1.0, 2.0]).all() && !Tensor::<_>::from([1.0, 0.0]).all());
    /// ```
    pub fn all(&self) -> bool {
        self.as_slice().iter().all(|&x| x != E::NOUGHT)
    }

    /// Whether an element is not 0.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert!(Tensor::<_>::from([1.0, 0.0]).any() && !Tensor::<_>::from([0.0, 0.0]).any());
    /// ```
    pub fn any(&self) -> bool {
        self.as_slice().iter().any(|&x| x != E::NOUGHT)
    }

    /// The elements as another type, converted as Rust's `as` does: to the nearest float; to `u32` without the
    /// part after the point, 0 below 0 and for what is not a number, at most `u32::MAX`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([1.9, -3.0]);
    /// assert_eq!(t.cast::<u32>(), Tensor::from([1, 0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn cast<T: Number>(&self) -> Tensor<S, T> {
        self.map(|x| T::from_number(x.to_number()))
    }
}

impl<S: Shape, E: Element> PartialEq for Tensor<S, E> {
    /// Whether sizes and all elements are equal.
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}
