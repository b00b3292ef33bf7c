//! Shapes: tuples of dimensions, up to six axes with the batch.

use crate::device::Memory;
use crate::dim::{Batch, Dim, Static};
use crate::element::Element;
use crate::tensor::Tensor;

/// The most axes a shape can have, the batch included.
pub const MAX_RANK: usize = 6;

/// The shape of a tensor, by value: `(Batch, D<784>)` holds the batch size, `(D<32>, D<784>)` is
/// zero-sized.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tensor shape",
    label = "not a tuple of sizes such as `(Batch, D<784>)`",
    note = "a shape is a tuple of at most six sizes, also where it has one axis: `(D<3>,)`, `(Batch, D<784>)`"
)]
pub trait Shape: Copy + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// The number of axes.
    const RANK: usize;
    /// The size of each axis, outermost first; entries from [`Shape::RANK`] on are 1.
    fn sizes(&self) -> [usize; MAX_RANK];
    /// The number of elements; `usize::MAX` where there are more.
    fn numel(&self) -> usize {
        self.sizes().iter().fold(1, |n: usize, &size| n.saturating_mul(size))
    }
    /// The shape that holds `numel` elements: the declared one where all sizes are constant, the one
    /// with the right batch where the outermost axis is [`Batch`]. `None` where there is none.
    fn holding(numel: usize) -> Option<Self>;
    /// The shape of the given sizes; entries from [`Shape::RANK`] on are not looked at. `None` where a size
    /// is part of the type and differs.
    fn of_sizes(sizes: [usize; MAX_RANK]) -> Option<Self>;
    /// The sizes as text, as in a declaration: `[1, 28, 28]`; `batch` for a batch axis.
    fn describe() -> String;
}

/// A shape of which every size is constant: the shape of one sample.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of one sample",
    label = "not a tuple of sizes such as `(D<4>,)`",
    note = "a shape is a tuple of sizes, also where it has one axis: `(D<4>,)` is [4], `(D<1>, D<28>, D<28>)` is [1, 28, 28], and `()` is one number"
)]
pub trait SampleShape: Shape + Default {
    /// The same shape with a batch axis in front.
    type Batched: BatchedShape<Sample = Self>;
    /// The number of elements of one sample.
    const NUMEL: usize;
    /// The sizes, outermost first; entries from the rank on are 1.
    const SIZES: [usize; MAX_RANK];
}

/// A shape whose outermost axis counts samples: [`Batch`], or a constant one.
pub trait BatchedShape: Shape {
    /// The shape of one sample.
    type Sample: SampleShape;
    /// The number of samples.
    fn batch(&self) -> usize {
        self.sizes()[0]
    }
    /// This shape with another number of samples. `None` where the number is part of the type and differs.
    fn with_batch(batch: usize) -> Option<Self>;
}

/// The size of each axis of a shape type as text, `batch` where it is known only at run time.
fn axis<A: Dim>() -> String {
    A::FIXED.map_or_else(|| A::NAME.to_owned(), |n| n.to_string())
}

macro_rules! shapes {
    ($($($t:ident $i:tt)*;)*) => { $(
        impl<$($t: Dim),*> Shape for ($($t,)*) {
            const RANK: usize = 0 $(+ { let _ = $i; 1 })*;
            #[allow(unused_mut)]
            fn sizes(&self) -> [usize; MAX_RANK] {
                let mut sizes = [1; MAX_RANK];
                $(sizes[$i] = self.$i.size();)*
                sizes
            }
            fn holding(numel: usize) -> Option<Self> {
                let known = 1_usize$(.saturating_mul($t::FIXED.unwrap_or(1)))*;
                #[allow(unused_variables)]
                let free = numel.checked_div(known).unwrap_or(0);
                let shape = ($($t::of_size($t::FIXED.unwrap_or(free))?,)*);
                (shape.numel() == numel).then_some(shape)
            }
            #[allow(unused_variables)]
            fn of_sizes(sizes: [usize; MAX_RANK]) -> Option<Self> {
                Some(($($t::of_size(sizes[$i])?,)*))
            }
            fn describe() -> String {
                let axes: Vec<String> = vec![$(axis::<$t>()),*];
                format!("[{}]", axes.join(", "))
            }
        }
    )* };
}
shapes! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 F 3;
    A 0 B 1 C 2 F 3 G 4;
    A 0 B 1 C 2 F 3 G 4 H 5;
}

macro_rules! samples {
    ($($($t:ident $i:tt)*;)*) => { $(
        impl<$($t: Static),*> SampleShape for ($($t,)*) {
            type Batched = (Batch, $($t,)*);
            const NUMEL: usize = 1 $(* $t::N)*;
            #[allow(unused_mut)]
            const SIZES: [usize; MAX_RANK] = {
                let mut sizes = [1; MAX_RANK];
                $(sizes[$i] = $t::N;)*
                sizes
            };
        }
        impl<N: Dim, $($t: Static),*> BatchedShape for (N, $($t,)*) {
            type Sample = ($($t,)*);
            fn with_batch(batch: usize) -> Option<Self> {
                Some((N::of_size(batch)?, $($t::default(),)*))
            }
        }
    )* };
}
samples! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 F 3;
    A 0 B 1 C 2 F 3 G 4;
}

/// The samples of a data set, or the shape of a batch, against the shape a network or loss takes.
#[diagnostic::on_unimplemented(
    message = "shape mismatch: samples of shape {Self}, but the network takes {Other}",
    label = "these samples have shape {Self}, the network takes {Other}"
)]
pub trait SameSample<Other> {}
#[diagnostic::do_not_recommend]
impl<S> SameSample<S> for S {}
/// A second candidate, so that inference does not equate the two shapes and report E0308 instead.
#[doc(hidden)]
pub struct Never<S>(S);
#[diagnostic::do_not_recommend]
impl<S> SameSample<Never<S>> for S {}

/// The shape of a tensor against the one that is declared of what takes it, a function or a network with several inputs:
/// calls are generic over shapes, so that rustc says this of one that does not fit.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "shape mismatch: `{Of}` takes a tensor of shape `{S}` here, found one of shape `{Self}`",
    label = "this has shape `{Self}`, `{Of}` takes `{S}`"
)]
pub trait Declared<Of, S: Shape>: Shape {
    /// The tensor as one of the declared shape, which is its own.
    fn declared<E: Element, D: Memory>(x: &Tensor<Self, E, D>) -> &Tensor<S, E, D>;
}
#[diagnostic::do_not_recommend]
impl<Of, S: Shape> Declared<Of, S> for S {
    fn declared<E: Element, D: Memory>(x: &Tensor<S, E, D>) -> &Tensor<S, E, D> {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::D;

    #[test]
    fn sizes_numel_and_text() {
        type S = (Batch, D<3>, D<28>);
        let shape = (Batch(5), D::<3>, D::<28>);
        assert_eq!(shape.sizes(), [5, 3, 28, 1, 1, 1]);
        assert_eq!(shape.numel(), 5 * 3 * 28);
        assert_eq!(S::RANK, 3);
        assert_eq!(S::describe(), "[batch, 3, 28]");
        assert_eq!(<(D<50, 7>, D<3>)>::describe(), "[50007, 3]");
        assert_eq!(<()>::describe(), "[]");
    }

    #[test]
    fn a_shape_is_found_for_a_number_of_elements() {
        assert_eq!(<(Batch, D<3>)>::holding(12), Some((Batch(4), D::<3>)));
        assert_eq!(<(Batch, D<3>)>::holding(13), None);
        assert_eq!(<(D<2>, D<3>)>::holding(6), Some((D::<2>, D::<3>)));
        assert_eq!(<(D<2>, D<3>)>::holding(9), None);
        assert_eq!(<()>::holding(1), Some(()));
        assert_eq!(<(Batch, D<3>)>::of_sizes([5, 3, 1, 1, 1, 1]), Some((Batch(5), D::<3>)));
        assert_eq!(<(Batch, D<3>)>::of_sizes([5, 4, 1, 1, 1, 1]), None);
        type Huge = D<999, 999, 999, 999>;
        assert_eq!(<(Huge, Huge)>::holding(12), None);
    }
}
