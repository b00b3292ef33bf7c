//! Layers around other layers.

/// `Residual { Linear(64), Relu }`: what is inside, added to its input (He et al., 2015).
///
/// The layers inside yield the shape that they take.
#[non_exhaustive]
pub struct Residual {}

/// `Parallel { Linear(8), { Linear(8), Relu } }`: each layer inside applied to the same value, their results
/// concatenated.
///
/// `{ .. }` is a branch of several layers. The results have the same sizes but along the axis.
#[non_exhaustive]
pub struct Parallel {
    /// The axis of a sample; the first where it is not given.
    pub axis: isize,
}
