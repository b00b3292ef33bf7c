//! Elements and parts by their position.

use std::ops::{Index, IndexMut, Range};

use super::Tensor;
use super::arith::HasRange;
use super::axes::HasAxis;
use super::reduce::split;
use crate::dim::{D, Dim, Len, Static};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// A shape with `N` axes, so that an index is `N` numbers.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape {Self} cannot be indexed by an array of {N}: an index has a number for each axis",
    label = "shape {Self} has another number of axes"
)]
pub trait Indexed<const N: usize>: Shape {}
macro_rules! indexed {
    ($($n:literal [$($a:ident)*];)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($a: Dim),*> Indexed<$n> for ($($a,)*) {}
    )* };
}
indexed! {
    0 [];
    1 [A];
    2 [A B];
    3 [A B C];
    4 [A B C F];
    5 [A B C F G];
    6 [A B C F G H];
}

/// A second candidate, so that inference does not take the number of axes for that of an index, and report E0308.
#[diagnostic::do_not_recommend]
impl<S: Shape> Indexed<{ usize::MAX }> for S {}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// Where the element at `index` is in row order; `None` where there is none.
    fn offset(&self, index: &[usize]) -> Option<usize> {
        let sizes = self.shape.sizes();
        index
            .iter()
            .zip(sizes)
            .try_fold(0, |offset, (&i, size)| (i < size).then_some(offset * size + i))
    }

    /// The element at an index, one number for each axis; `None` where there is none.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((t.get([1, 0]), t.get([2, 0])), (Some(3.0), None));
    /// ```
    pub fn get<const N: usize>(&self, index: [usize; N]) -> Option<E>
    where
        S: Indexed<N>,
    {
        self.offset(&index).map(|i| self.as_slice()[i])
    }

    /// Part `i` along an axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.index_axis::<1>(0), Tensor::from([1.0, 3.0]));
    /// ```
    ///
    /// # Panics
    /// If the axis has no part `i`, as a slice does, or there is no memory for the result.
    #[track_caller]
    pub fn index_axis<const AXIS: usize>(&self, i: usize) -> Tensor<S::Without, E>
    where
        S: HasAxis<AXIS>,
    {
        let size = self.shape.axis().size();
        assert!(i < size, "index {i} is out of range along axis {AXIS} of size {size}");
        self.part(AXIS, i..i + 1, self.shape.without())
    }

    /// Row `i`: part `i` along the first axis, which disappears.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.row(1), Tensor::from([3.0, 4.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no row `i`, as a slice does, or there is no memory for the result.
    #[track_caller]
    pub fn row(&self, i: usize) -> Tensor<S::Without, E>
    where
        S: HasAxis<0>,
    {
        self.index_axis::<0>(i)
    }

    /// `LEN` parts along an axis from `START` on. `START` and `LEN` are below 1000; [`Tensor::narrow`] takes any.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(t.slice::<1, 1, 2>(), Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
    /// ```
    ///
    /// # Panics
    /// If the size of the axis is known only at run time and smaller, or there is no memory for the result.
    #[track_caller]
    pub fn slice<const AXIS: usize, const START: usize, const LEN: usize>(
        &self,
    ) -> Tensor<S::With<D<LEN>>, E>
    where
        S: HasAxis<AXIS, Axis: HasRange<START, LEN>>,
        D<LEN>: Static,
    {
        let size = self.shape.axis().size();
        assert!(
            START + LEN <= size,
            "slice beyond the end: {LEN} elements from {START} on along axis {AXIS} of size {size}"
        );
        self.part(AXIS, START..START + LEN, self.shape.with(D::<LEN>))
    }

    /// The parts of a range along an axis, whose size then is known only at run time.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{D, Len}, tensor::Tensor};
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let last = t.narrow::<0>(1..3)?;
    /// assert_eq!(last.shape(), (Len(2), D::<2>));
    /// assert_eq!(last.as_slice(), [3.0, 4.0, 5.0, 6.0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the range does not lie in the axis.
    ///
    /// # Panics
    /// If there is no memory for the result.
    pub fn narrow<const AXIS: usize>(&self, range: Range<usize>) -> Result<Tensor<S::With<Len>, E>>
    where
        S: HasAxis<AXIS>,
    {
        let size = self.shape.axis().size();
        if range.start > range.end || range.end > size {
            return Err(Error::Size {
                what: format!("narrowing axis {AXIS} of a tensor of sizes {:?}", self.sizes()),
                expected: format!("a range within 0..{size}"),
                found: format!("{range:?}"),
            });
        }
        let shape = self.shape.with(Len(range.len()));
        Ok(self.part(AXIS, range, shape))
    }

    /// The parts of a range along an axis, as a tensor of a shape for so many.
    fn part<T: Shape>(&self, axis: usize, range: Range<usize>, shape: T) -> Tensor<T, E> {
        let [outer, n, inner] = split(self.shape.sizes(), axis);
        let len = range.len() * inner;
        let data = self.as_slice();
        Tensor::build(shape, |out| {
            for i in 0..outer {
                let from = (i * n + range.start) * inner;
                out[i * len..][..len].copy_from_slice(&data[from..][..len]);
            }
        })
    }
}

impl<S: Indexed<N>, E: Element, const N: usize> Index<[usize; N]> for Tensor<S, E> {
    type Output = E;
    /// The element at an index: `t[[i, j]]`.
    ///
    /// # Panics
    /// If there is none, as a slice does.
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &E {
        match self.offset(&index) {
            Some(i) => &self.as_slice()[i],
            None => panic!("index {index:?} is out of range of sizes {:?}", self.sizes()),
        }
    }
}

impl<S: Indexed<N>, E: Element, const N: usize> IndexMut<[usize; N]> for Tensor<S, E> {
    /// The element at an index: `t[[i, j]] = x`.
    ///
    /// # Panics
    /// If there is none, as a slice does.
    #[track_caller]
    fn index_mut(&mut self, index: [usize; N]) -> &mut E {
        match self.offset(&index) {
            Some(i) => &mut self.as_mut_slice()[i],
            None => panic!("index {index:?} is out of range of sizes {:?}", self.sizes()),
        }
    }
}
