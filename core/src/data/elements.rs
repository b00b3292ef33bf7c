//! What samples consist of, against what a network takes.

use super::Dataset;

/// A data set whose inputs consist of `E`, as those of a network do.
#[diagnostic::on_unimplemented(
    message = "samples of `{Self}` do not consist of `{E}`, which the network takes",
    label = "samples of another element than `{E}`",
    note = "samples of `f32` are for networks of `f32`, as `new` makes them, samples of `f64` for those of `f64`: `Net::<f64>::on(device, seed)`; samples of `u32` are for inputs that are declared as `u32[..]`"
)]
pub trait DatasetOf<E>: Dataset<Element = E> {}
#[diagnostic::do_not_recommend]
impl<E, D: Dataset<Element = E>> DatasetOf<E> for D {}
