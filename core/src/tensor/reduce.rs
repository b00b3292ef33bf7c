//! Reductions over all elements or one axis. Floats are summed in f64, in the order of the elements, so
//! that results depend on nothing else.

use super::Tensor;
use super::axes::HasAxis;
use super::elementwise::{larger, smaller};
use super::number::Number;
use crate::dim::D;
use crate::element::Float;
use crate::shape::{MAX_RANK, Shape};

/// The products of the sizes before an axis, of it, and after it.
pub(super) fn split(sizes: [usize; MAX_RANK], axis: usize) -> [usize; 3] {
    [sizes[..axis].iter().product(), sizes[axis], sizes[axis + 1..].iter().product()]
}

/// A sum as an element.
#[track_caller]
fn narrow<E: Number>(sum: f64) -> E {
    match E::from_sum(sum) {
        Some(sum) => sum,
        None => panic!("the sum {sum} does not fit {}: cast the tensor to f64 before", E::NAME),
    }
}

/// The elements of a tensor that lie at `outer`, `inner` along an axis.
fn lane<E: Copy>(
    data: &[E],
    [_, n, step]: [usize; 3],
    outer: usize,
    inner: usize,
) -> impl Iterator<Item = E> {
    (0..n).map(move |i| data[(outer * n + i) * step + inner])
}

/// The index of the first of the largest elements.
fn first_largest<E: Number>(elements: impl Iterator<Item = E>) -> Option<usize> {
    let best = elements.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(i, _)| i)
}

const EMPTY: &str = "the maximum or minimum of no elements: the tensor, or the axis, has size 0";

impl<S: Shape, E: Number> Tensor<S, E> {
    /// The sum of all elements; 0 of none.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]).sum(), 10.0);
    /// ```
    ///
    /// # Panics
    /// If a sum of `u32` overflows.
    #[track_caller]
    pub fn sum(&self) -> E {
        narrow(self.as_slice().iter().map(|x| x.to_number()).sum())
    }

    /// The largest element; not a number where there is one that is not.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([[1.0, 2.0], [4.0, 3.0]]).max(), 4.0);
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn max(&self) -> E {
        self.as_slice().iter().copied().reduce(larger).expect(EMPTY)
    }

    /// The smallest element; not a number where there is one that is not.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([[1.0, 2.0], [4.0, 3.0]]).min(), 1.0);
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(&self) -> E {
        self.as_slice().iter().copied().reduce(smaller).expect(EMPTY)
    }

    /// The index, in row order, of the first of the largest elements.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([[1.0, 2.0], [4.0, 3.0]]).argmax(), 2);
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn argmax(&self) -> usize {
        first_largest(self.as_slice().iter().copied()).expect(EMPTY)
    }

    /// The sum along an axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.sum_axis::<0>(), Tensor::from([4.0, 6.0]));
    /// assert_eq!(t.sum_axis::<1>(), Tensor::from([3.0, 7.0]));
    /// ```
    ///
    /// # Panics
    /// If a sum of `u32` overflows, or there is no memory for the result.
    #[track_caller]
    pub fn sum_axis<const AXIS: usize>(&self) -> Tensor<S::Without, E>
    where
        S: HasAxis<AXIS>,
    {
        self.fold_axis::<AXIS, E>(|lane| narrow(lane.map(E::to_number).sum()))
    }

    /// The largest element along an axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [4.0, 3.0]]);
    /// assert_eq!(t.max_axis::<1>(), Tensor::from([2.0, 4.0]));
    /// ```
    ///
    /// # Panics
    /// If the axis has size 0, or there is no memory for the result.
    #[track_caller]
    pub fn max_axis<const AXIS: usize>(&self) -> Tensor<S::Without, E>
    where
        S: HasAxis<AXIS>,
    {
        self.fold_axis::<AXIS, E>(|lane| lane.reduce(larger).expect(EMPTY))
    }

    /// The smallest element along an axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [4.0, 3.0]]);
    /// assert_eq!(t.min_axis::<0>(), Tensor::from([1.0, 2.0]));
    /// ```
    ///
    /// # Panics
    /// If the axis has size 0, or there is no memory for the result.
    #[track_caller]
    pub fn min_axis<const AXIS: usize>(&self) -> Tensor<S::Without, E>
    where
        S: HasAxis<AXIS>,
    {
        self.fold_axis::<AXIS, E>(|lane| lane.reduce(smaller).expect(EMPTY))
    }

    /// The index along an axis, which disappears, of the first of the largest elements.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let logits = Tensor::<_>::from([[0.1, 0.9], [0.7, 0.3]]);
    /// assert_eq!(logits.argmax_axis::<1>(), Tensor::from([1, 0]));
    /// ```
    ///
    /// # Panics
    /// If the axis has size 0 or more than `u32::MAX`, or there is no memory for the result.
    #[track_caller]
    pub fn argmax_axis<const AXIS: usize>(&self) -> Tensor<S::Without, u32>
    where
        S: HasAxis<AXIS>,
    {
        self.fold_axis::<AXIS, u32>(|lane| {
            u32::try_from(first_largest(lane).expect(EMPTY)).expect("an index that fits u32")
        })
    }

    /// `f` of the elements along an axis.
    fn fold_axis<const AXIS: usize, T: Number>(
        &self,
        f: impl Fn(&mut dyn Iterator<Item = E>) -> T,
    ) -> Tensor<S::Without, T>
    where
        S: HasAxis<AXIS>,
    {
        let sizes = split(self.shape.sizes(), AXIS);
        let data = self.as_slice();
        Tensor::from_fn(self.shape.without(), |i| {
            f(&mut lane(data, sizes, i / sizes[2], i % sizes[2]))
        })
    }
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// The mean of all elements; not a number for none.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]).mean(), 2.5);
    /// ```
    pub fn mean(&self) -> E {
        let data = self.as_slice();
        E::from_f64(data.iter().map(|x| x.to_f64()).sum::<f64>() / data.len() as f64)
    }

    /// The mean along an axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.mean_axis::<0>(), Tensor::from([2.0, 3.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn mean_axis<const AXIS: usize>(&self) -> Tensor<S::Without, E>
    where
        S: HasAxis<AXIS>,
    {
        let [outer, n, inner] = split(self.shape.sizes(), AXIS);
        let data = self.as_slice();
        Tensor::build(self.shape.without(), |out| {
            for (i, mean) in out.iter_mut().enumerate() {
                let elements = lane(data, [outer, n, inner], i / inner, i % inner);
                *mean = E::from_f64(elements.map(E::to_f64).sum::<f64>() / n as f64);
            }
        })
    }
}

impl<S: Shape, E: Number> Tensor<S, E> {
    /// A new axis of size 1, of number `AXIS`: after a reduction along it, the result broadcasts again.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 3.0], [2.0, 6.0]]);
    /// let centred = &t - t.mean_axis::<1>().unsqueeze::<1>();
    /// assert_eq!(centred, Tensor::from([[-1.0, 1.0], [-2.0, 2.0]]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn unsqueeze<const AXIS: usize>(&self) -> Tensor<S::And<D<1>>, E>
    where
        S: super::axes::NewAxis<AXIS>,
    {
        Tensor::build(self.shape.and(D::<1>), |out| out.copy_from_slice(self.as_slice()))
    }
}
