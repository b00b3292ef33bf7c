//! Losses: what training makes small. The formulas are written with `network!`, below; the types
//! that users name choose among them by the shape and the element of the targets.

use crate::device::{Bindings, Device, Kernels, Slot, Span};
use crate::element::{Element, Float};
use crate::shape::SampleShape;

/// A loss that compares outputs of shape `O` with targets of shape `Y` and element `T`.
///
/// A batch's loss is the mean over its samples (and positions, where there are several).
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` cannot compare a network's output of shape {O} with targets of shape {Y} and element `{T}`",
    label = "output {O}, targets {Y} of `{T}`",
    note = "`CrossEntropy` takes outputs of shape (D<C>,) with class labels, shape () of `u32`, or with probabilities of shape (D<C>,); `Mse` and `BceWithLogits` take targets of the output's shape"
)]
pub trait Loss<E: Float, O: SampleShape, Y: SampleShape, T: Element> {
    /// The workspace, in elements, that the passes need.
    #[doc(hidden)]
    fn workspace(&self, batch: usize) -> usize;
    /// Binds the targets to the slot that the passes read them from.
    #[doc(hidden)]
    fn bind<'a, D: Device<E>>(&self, targets: &'a D::Buffer<T>, to: &mut Bindings<'a, E, D>);
    /// The loss of a batch; returns where the scalar is. Temporaries begin at `base`.
    #[doc(hidden)]
    fn value<K: Kernels<E>>(&self, k: &mut K, batch: usize, output: Span, base: usize) -> Span;
    /// The loss of a batch, and its gradient with respect to the output.
    #[doc(hidden)]
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        batch: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span;
    /// How many of a batch's samples are classified correctly; `None` where the loss has no classes.
    fn correct(&self, outputs: &[E], targets: &[T]) -> Option<usize> {
        let _ = (outputs, targets);
        None
    }
}

/// Where float targets are bound; inputs of the network are [`Slot::Input`] 0.
pub(crate) const TARGET: Slot = Slot::Input(1);
/// Where class labels are bound.
pub(crate) const LABELS: Slot = Slot::Index(0);
