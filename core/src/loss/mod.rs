//! Losses: what training makes small. The formulas are written with `network!`; the types that users name
//! choose among them by the shape and the element of the targets.
//!
//! | loss | outputs | targets | accuracy |
//! |---|---|---|---|
//! | [`Mse`], [`L1`], [`Huber`], [`SmoothL1`] | any shape | floats of that shape | |
//! | [`BceWithLogits`] | logits of any shape | from 0 to 1, of that shape | above 0 |
//! | [`Bce`] | probabilities of any shape | from 0 to 1, of that shape | above 0.5 |
//! | [`Hinge`] | scores of any shape | -1 and 1, of that shape | the sign |
//! | [`CrossEntropy`], [`SmoothedCrossEntropy`], [`WeightedCrossEntropy`] | logits `(.., D<C>)` | labels `(..)` of `u32`, or probabilities `(.., D<C>)` | the largest |
//! | [`Nll`], [`WeightedNll`] | log-probabilities `(.., D<C>)` | labels `(..)` of `u32` | the largest |
//! | [`KlDivergence`] | log-probabilities `(.., D<C>)` | probabilities `(.., D<C>)` | |
//! | [`CosineSimilarity`] | vectors `(.., D<C>)` | vectors `(.., D<C>)` | |
//! | an `fn` of `network!` | its first input | its second input | |
//! | [`OwnOutput`] | the loss itself, `()` | none | |
//!
//! In front of an output's last axis may be others: positions, each with a target of its own, that count as
//! samples do. A batch's loss is the mean over all of them; where a loss has weights, the sum of weighted values
//! over the sum of weights.
//!
//! Training ([`Trainer::fit`](crate::train::Trainer::fit)), its validation and
//! [`evaluate`](crate::train::evaluate) refuse what a loss does not take, as far as they can see it: a network that ends in
//! `Softmax` or `Sigmoid` before a loss of logits, a single output for classes, and targets that are not what the table
//! says, labels that are no class among them.

#[macro_use]
mod implement;
mod classes;
mod constant;
mod elementwise;
mod misfit;
mod rows;
#[cfg(test)]
mod tests;

use crate::device::{Bindings, Device, Kernels, Slot, Span};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::feed::BESIDE;
use crate::metric::Answers;
use crate::outputs::Outputs;
use crate::shape::SampleShape;

pub use crate::loss_gradient::LossGradient;
pub use crate::loss_step::{NoTargets, OwnOutput, ScalarLoss};
pub use classes::{CrossEntropy, Nll, SmoothedCrossEntropy, WeightedCrossEntropy, WeightedNll};
#[doc(hidden)]
pub use constant::Constant;
pub use elementwise::{Bce, BceWithLogits, Hinge, Huber, L1, Mse, SmoothL1};
pub use implement::NoTarget;
#[doc(hidden)]
pub use misfit::{Misfit, Misfitting};
pub use rows::{CosineSimilarity, KlDivergence};

/// A loss that compares outputs of shape `O` with targets of shape `Y` and element `T`.
///
/// A batch's loss is the mean over its samples (and positions, where there are several).
///
/// An `fn` of `network!` with two inputs, outputs and targets, is a loss. It yields one number for each sample,
/// `-> []`, or a value and its weight, `-> ([], [])`. What it takes beside them, a number (`delta: f32`) or as
/// many as there are classes (`weights: [f32; C]`), are fields of its type, of the numbers that are declared
/// (`f32` or `f64`): values of run time, which a step reads once, when it is made.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::LossGradient;
/// use netform::tensor::Tensor;
///
/// netform_macros::network! {
///     /// The squared distance of classes that count differently, but for a margin.
///     pub fn apart<C>(y: [C], label: u32[], weights: [f32; C], margin: f32) -> ([], []) {
///         let right = one_hot(label, C);
///         let weight = sum(weights * right);
///         (weight * sum(square(relu(abs(y - right) - margin))), weight)
///     }
/// }
///
/// let y = Tensor::<(Batch, D<2>)>::from_vec(vec![0.5, 0.0, 0.0, 0.0])?;
/// let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1])?;
/// let mut loss = LossGradient::new(apart { weights: vec![3.0, 1.0], margin: 0.5 });
/// let (value, _) = loss.run(&y, &labels)?;
/// assert_eq!(value, 0.25 / (3.0 + 1.0));
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// A loss makes the same calls with the same numbers as long as a step holds it: a device may repeat a step without asking
/// it again. What changes from step to step, in a cell within it for example, is not seen; it belongs into the targets.
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` cannot compare a network's output of shape {O} with targets of shape {Y} and element `{T}`",
    label = "output {O}, targets {Y} of `{T}`",
    note = "class labels, shape () of `u32` as `.classes(..)` makes them, go with `CrossEntropy` and a network of as many outputs as there are classes",
    note = "numbers, shape (D<N>,) of `f32` as `.targets(&[..])` makes them, go with `Mse` and a network of N outputs",
    note = "yes and no with one output: `.ordinal(\"bought\", &[\"no\", \"yes\"])?.targets(&[\"bought\"])?` makes numbers 0 and 1, which go with `BceWithLogits` and a network `-> [1]`",
    note = "`CrossEntropy` also takes probabilities of the output's shape (.., D<C>), and labels (..) of each position; `Nll` takes labels; `L1`, `Huber`, `SmoothL1`, `Bce`, `Hinge`, `KlDivergence` and `CosineSimilarity` take targets of the output's shape and element; an `fn` of `network!` takes the shapes of its first two inputs"
)]
pub trait Loss<E: Float, O: SampleShape, Y: SampleShape, T: Element> {
    /// The workspace, in elements, that the passes need.
    #[doc(hidden)]
    fn workspace(&self, batch: usize) -> usize;
    /// Binds the targets to the slot that the passes read them from.
    #[doc(hidden)]
    fn bind<'a, D: Device<E>>(&self, targets: &'a D::Buffer<T>, to: &mut Bindings<'a, E, D>);
    /// What the passes read from [`CONSTANTS`], the same in every step: weights of classes.
    ///
    /// # Errors
    /// If there are too few or too many, or a setting of the loss makes no sense.
    #[doc(hidden)]
    fn constants(&self) -> Result<Vec<f64>> {
        Ok(Vec::new())
    }
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
    /// The loss with its settings as text, by which a resumed training knows it; empty where its type says all.
    #[doc(hidden)]
    fn described(&self) -> String {
        String::new()
    }
    /// The first target that this loss does not take, as far as that is known: a label that is no class, a number that is
    /// no probability.
    #[doc(hidden)]
    fn misfit(&self, targets: &[T]) -> Option<Misfit> {
        let _ = targets;
        None
    }
    /// How many classes there are, where targets are labels.
    #[doc(hidden)]
    fn classes(&self) -> Option<usize> {
        None
    }
    /// What this loss takes and what to do, where a network's outputs are something else.
    #[doc(hidden)]
    fn refuses(&self, outputs: Outputs) -> Option<&'static str> {
        let _ = outputs;
        None
    }
    /// Adds targets to those before, and says what the loss of the best constant answer to all of them is, where that is
    /// known.
    #[doc(hidden)]
    fn constant(&self, targets: &[T], known: &mut Constant) -> Option<f64> {
        let _ = (targets, known);
        None
    }
    /// How many of a batch's answers are right; `None` where the loss has no classes.
    fn correct(&self, outputs: &[E], targets: &[T]) -> Option<Answers> {
        let _ = (outputs, targets);
        None
    }
}

/// Where float targets are bound, beside the inputs of the network.
#[doc(hidden)]
pub const TARGET: Slot = Slot::Input(BESIDE as u8);
/// Where class labels are bound.
#[doc(hidden)]
pub const LABELS: Slot = Slot::Index(BESIDE as u8);
/// Where a step binds [`Loss::constants`].
#[doc(hidden)]
pub const CONSTANTS: Slot = Slot::Input(BESIDE as u8 + 1);

/// Run-time numbers of a function, as printed code reads them.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Settings<const N: usize> {
    /// In the order of the declaration.
    pub settings: [f64; N],
}

/// The constants of a loss on a device; nothing where it has none.
pub(crate) fn constants<E: Float, D: Device<E>>(
    device: &D,
    numbers: &[f64],
) -> Result<Option<D::Buffer<E>>> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let numbers: Vec<E> = numbers.iter().map(|x| E::from_f64(*x)).collect();
    let mut buffer = device.zeros(numbers.len())?;
    device.write(&mut buffer, 0, &numbers)?;
    Ok(Some(buffer))
}

/// That a setting is a number.
#[doc(hidden)]
pub fn number(what: &str, value: f64) -> Result<()> {
    in_range(what, value, "finite", |x| x.is_finite())
}

/// That a setting is a rate of dropout.
#[doc(hidden)]
pub fn rate(what: &str, value: f64) -> Result<()> {
    in_range(what, value, "a rate of dropout, from 0 to 1", |x| (0.0..=1.0).contains(&x))
}

/// Appends `count` numbers of a setting to others.
#[doc(hidden)]
pub fn numbers<T: Copy + Into<f64>>(
    all: &mut Vec<f64>,
    what: &str,
    values: &[T],
    count: usize,
) -> Result<()> {
    if values.len() != count {
        return Err(Error::Size {
            what: what.to_owned(),
            expected: format!("{count} numbers"),
            found: values.len().to_string(),
        });
    }
    let values = values.iter().map(|value| (*value).into());
    values.clone().try_for_each(|value| number(what, value))?;
    all.extend(values);
    Ok(())
}

/// That a setting is in its range, which `text` says.
fn in_range(what: &str, value: f64, text: &str, fits: impl Fn(f64) -> bool) -> Result<()> {
    if fits(value) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{what} is {value}; it must be {text}")))
}
