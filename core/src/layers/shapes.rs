//! Other shapes of the same values.

/// `Flatten`: all axes of a sample into one.
///
/// `[16, 5, 5]` to `[400]`.
#[non_exhaustive]
pub struct Flatten {}

/// `Reshape([16, 5, 5])`: the same values, in the same order, in another shape.
#[non_exhaustive]
pub struct Reshape {
    /// The shape of the result; as many values as it is given.
    pub shape: &'static [usize],
}
