//! Losses of classes: logits or log-probabilities, with labels or with probabilities.

use super::{CONSTANTS, LABELS, Loss, Misfit, NoTarget, TARGET, in_range, numbers};
use crate::device::{Bindings, Device, Kernels, Span};
use crate::dim::Static;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::BESIDE;
use crate::metric::{self, Answers};
use crate::shape::SampleShape;

netform_macros::network! {
    /// ln of the sum of e^x. The maximum is taken out first, so that nothing overflows.
    fn log_sum_exp<C>(x: [C]) -> [] {
        let largest = stop_gradient(max(x));
        largest + ln(sum(exp(x - largest)))
    }

    /// (1 - smoothing) right + smoothing all: the loss of a label, and of all classes alike. Without smoothing
    /// `all` does not count, even where it is infinite.
    fn smoothed(right: [], all: [], smoothing: f32) -> [] {
        (1.0 - smoothing) * right + select(smoothing > 0.0, smoothing * all, 0.0)
    }

    /// -ln softmax(logits)[label].
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
    pub(crate) fn cross_entropy_of_labels<C>(logits: [..S, C], labels: u32[..S]) -> [] {
        log_sum_exp(logits) - gather(logits, labels)
    }

    /// -sum of target ln softmax(logits), for targets that are probabilities.
    pub(crate) fn cross_entropy_of_probabilities<C>(logits: [..S, C], target: [..S, C]) -> [] {
        sum(target * (log_sum_exp(logits) - logits))
    }

    /// The cross entropy with 1 - smoothing at the label and smoothing / C at every class.
    pub(crate) fn smoothed_of_labels<C>(
        logits: [..S, C], labels: u32[..S], smoothing: f32
    ) -> [] {
        let all = log_sum_exp(logits);
        smoothed(all - gather(logits, labels), all - mean(logits), smoothing)
    }

    /// The cross entropy with (1 - smoothing) target + smoothing / C.
    pub(crate) fn smoothed_of_probabilities<C>(
        logits: [..S, C], target: [..S, C], smoothing: f32
    ) -> [] {
        let surprise = log_sum_exp(logits) - logits;
        smoothed(sum(target * surprise), mean(surprise), smoothing)
    }

    /// Each class's term times its weight; the label's weight is what a sample counts.
    pub(crate) fn weighted_of_labels<C>(
        logits: [..S, C], labels: u32[..S], weights: [f32; C], smoothing: f32
    ) -> ([], []) {
        let all = log_sum_exp(logits);
        let weight = sum(lookup(weights.reshape([C, 1]), labels));
        let right = weight * (all - gather(logits, labels));
        (smoothed(right, mean(weights * (all - logits)), smoothing), weight)
    }

    /// Each class's term times its weight; samples count alike.
    pub(crate) fn weighted_of_probabilities<C>(
        logits: [..S, C], target: [..S, C], weights: [f32; C], smoothing: f32
    ) -> [] {
        let surprise = weights * (log_sum_exp(logits) - logits);
        smoothed(sum(target * surprise), mean(surprise), smoothing)
    }

    /// Minus the label's log-probability.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
    pub(crate) fn nll_of_labels<C>(log_probabilities: [..S, C], labels: u32[..S]) -> [] {
        -gather(log_probabilities, labels)
    }

    /// The same times the label's weight, which is what a sample counts.
    pub(crate) fn weighted_nll_of_labels<C>(
        log_probabilities: [..S, C], labels: u32[..S], weights: [f32; C]
    ) -> ([], []) {
        let weight = sum(lookup(weights.reshape([C, 1]), labels));
        (-weight * gather(log_probabilities, labels), weight)
    }
}

/// The cross entropy of logits with class labels (`u32`), or with probabilities: the mean over samples of
/// -ln softmax(x)\[label\], or of -sum of t ln softmax(x).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
///
/// Outputs `(.., D<C>)`, labels `(..)` or probabilities `(.., D<C>)`. The network's output is logits: a `Softmax`
/// before this loss would be one too many.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::CrossEntropy;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let plain = Trainer::new(CrossEntropy, Adam::new(1e-3));
/// let smooth = Trainer::new(CrossEntropy.smoothing(0.1), Adam::new(1e-3));
/// let both = Trainer::new(CrossEntropy.weights([1.0, 1.0, 5.0]).smoothing(0.1), Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossEntropy;

impl CrossEntropy {
    /// Takes `smoothing`, from 0 to 1, of each target's probability and gives it to all classes alike
    /// ([Szegedy et al., 2016](https://arxiv.org/abs/1512.00567)); other numbers are an error where training
    /// begins.
    pub fn smoothing(self, smoothing: f64) -> SmoothedCrossEntropy {
        SmoothedCrossEntropy { smoothing }
    }

    /// Gives each class a weight, 0 or more. Other numbers, or not as many as there are classes, are an error
    /// where training begins.
    pub fn weights(self, weights: impl Into<Vec<f64>>) -> WeightedCrossEntropy {
        WeightedCrossEntropy { weights: weights.into(), smoothing: 0.0 }
    }
}

/// [`CrossEntropy`] with smoothed targets, (1 - s) t + s / C: PyTorch's `label_smoothing`. Made by
/// [`CrossEntropy::smoothing`]; shapes are those of [`CrossEntropy`], and the smoothing is a value of run time.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{CrossEntropy, LossGradient};
/// use netform::tensor::Tensor;
///
/// let logits = Tensor::<(Batch, D<2>)>::from_vec(vec![0.0, 0.0])?;
/// let labels = Tensor::<(Batch,), u32>::from_vec(vec![1])?;
/// let mut loss = LossGradient::new(CrossEntropy.smoothing(0.5));
/// let (_, gradient) = loss.run(&logits, &labels)?;
/// assert_eq!(gradient.to_vec(), [0.25, -0.25]);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothedCrossEntropy {
    smoothing: f64,
}

impl SmoothedCrossEntropy {
    /// [`CrossEntropy::weights`], with this smoothing.
    pub fn weights(self, weights: impl Into<Vec<f64>>) -> WeightedCrossEntropy {
        WeightedCrossEntropy { weights: weights.into(), smoothing: self.smoothing }
    }
}

/// [`CrossEntropy`] with a weight for each class, PyTorch's `weight`, and smoothed targets where
/// [`WeightedCrossEntropy::smoothing`] says so. Made by [`CrossEntropy::weights`].
///
/// With s the smoothing and w the weights, a sample's value is (1 - s) w\[label\] l\[label\] + s mean of w l, where
/// l = -ln softmax(x); a batch's loss is the sum of values over the sum of w\[label\]. With probabilities a sample's
/// value is the sum of w ((1 - s) t + s / C) l, and a batch's loss the mean, as in PyTorch. A batch whose labels
/// all have the weight 0 has no loss: it is not a number. Shapes are those of [`CrossEntropy`]; weights and
/// smoothing are values of run time.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{CrossEntropy, LossGradient};
/// use netform::tensor::Tensor;
///
/// let logits = Tensor::<(Batch, D<2>)>::from_vec(vec![0.0, 0.0, 0.0, 0.0])?;
/// let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1])?;
/// let mut loss = LossGradient::new(CrossEntropy.weights([1.0, 3.0]));
/// let (_, gradient) = loss.run(&logits, &labels)?;
/// assert_eq!(gradient.to_vec(), [-0.125, 0.125, 0.375, -0.375]);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightedCrossEntropy {
    weights: Vec<f64>,
    smoothing: f64,
}

impl WeightedCrossEntropy {
    /// [`CrossEntropy::smoothing`], with these weights.
    pub fn smoothing(self, smoothing: f64) -> WeightedCrossEntropy {
        WeightedCrossEntropy { smoothing, ..self }
    }
}

/// The negative log-likelihood of labels (`u32`), for outputs that are log-probabilities, as `LogSoftmax` yields
/// them: the mean over samples of -x\[label\]. [`CrossEntropy`] is this with the `LogSoftmax` inside.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
///
/// Outputs `(.., D<C>)`, labels `(..)`.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::Nll;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let plain = Trainer::new(Nll, Adam::new(1e-3));
/// let weighted = Trainer::new(Nll.weights([1.0, 1.0, 5.0]), Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Nll;

impl Nll {
    /// Gives each class a weight, 0 or more. Other numbers, or not as many as there are classes, are an error
    /// where training begins.
    pub fn weights(self, weights: impl Into<Vec<f64>>) -> WeightedNll {
        WeightedNll { weights: weights.into() }
    }
}

/// [`Nll`] with a weight for each class, PyTorch's `weight`: the sum of -w\[label\] x\[label\] over the sum of
/// w\[label\]. Made by [`Nll::weights`]; shapes are those of [`Nll`], and weights are values of run time.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{LossGradient, Nll};
/// use netform::tensor::Tensor;
///
/// let x = Tensor::<(Batch, D<2>)>::from_vec(vec![-1.0, 0.0, 0.0, -2.0])?;
/// let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1])?;
/// let mut loss = LossGradient::new(Nll.weights([1.0, 3.0]));
/// assert_eq!(loss.run(&x, &labels)?.0, 7.0 / 4.0);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WeightedNll {
    weights: Vec<f64>,
}

fn labels_found<E: Float>(outputs: &[E], labels: &[u32]) -> Option<Answers> {
    let correct = metric::correct_labels(outputs, labels);
    Some(Answers { correct, judged: labels.len() })
}

fn rows_found<E: Float>(outputs: &[E], targets: &[E], classes: usize) -> Option<Answers> {
    let correct = metric::correct_rows(outputs, targets, classes);
    Some(Answers { correct, judged: targets.len() / classes.max(1) })
}

/// That the smoothing is a share.
fn share(smoothing: f64) -> Result<()> {
    let share = |x| (0.0..=1.0).contains(&x);
    in_range("the smoothing of `CrossEntropy`", smoothing, "from 0 to 1", share)
}

/// The weights of classes, which are 0 or more.
fn class_weights(loss: &str, weights: &[f64], classes: usize) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    numbers(&mut all, &format!("the weights of `{loss}`, one for each class"), weights, classes)?;
    for (class, weight) in weights.iter().enumerate() {
        let what = format!("the weight of class {class} of `{loss}`");
        in_range(&what, *weight, "0 or more", |x| x >= 0.0)?;
    }
    Ok(all)
}

/// That there is more than one class: a softmax of one number is 1, whatever the number is.
fn several(classes: usize) -> Result<Vec<f64>> {
    if classes > 1 {
        return Ok(Vec::new());
    }
    let message = "`CrossEntropy` tells classes apart, found one output; expected one for each class: of one output the loss is always 0. For yes and no by one output there is `BceWithLogits` with targets 0 and 1, for a number `Mse`";
    Err(Error::Invalid(message.to_owned()))
}

rowwise! {
    CrossEntropy, cross_entropy_of_labels, labels, constants = [], numbers = [];
    fn constants(&self) -> Result<Vec<f64>> {
        several(C::N)
    }
    fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
        labels_found(outputs, targets)
    }
}
rowwise! {
    CrossEntropy, cross_entropy_of_probabilities, rows, constants = [], numbers = [];
    fn constants(&self) -> Result<Vec<f64>> {
        several(C::N)
    }
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        rows_found(outputs, targets, C::N)
    }
}
rowwise! {
    SmoothedCrossEntropy, smoothed_of_labels, labels,
    constants = [], numbers = [|loss| [loss.smoothing]];
    fn constants(&self) -> Result<Vec<f64>> {
        share(self.smoothing).map(|()| Vec::new())
    }
    fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
        labels_found(outputs, targets)
    }
}
rowwise! {
    SmoothedCrossEntropy, smoothed_of_probabilities, rows,
    constants = [], numbers = [|loss| [loss.smoothing]];
    fn constants(&self) -> Result<Vec<f64>> {
        share(self.smoothing).map(|()| Vec::new())
    }
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        rows_found(outputs, targets, C::N)
    }
}
rowwise! {
    WeightedCrossEntropy, weighted_of_labels, labels,
    constants = [C::N], numbers = [|loss| [loss.smoothing]];
    fn constants(&self) -> Result<Vec<f64>> {
        share(self.smoothing)?;
        class_weights("CrossEntropy", &self.weights, C::N)
    }
    fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
        labels_found(outputs, targets)
    }
}
rowwise! {
    WeightedCrossEntropy, weighted_of_probabilities, rows,
    constants = [C::N], numbers = [|loss| [loss.smoothing]];
    fn constants(&self) -> Result<Vec<f64>> {
        share(self.smoothing)?;
        class_weights("CrossEntropy", &self.weights, C::N)
    }
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        rows_found(outputs, targets, C::N)
    }
}
rowwise! {
    Nll, nll_of_labels, labels, constants = [], numbers = [];
    fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
        labels_found(outputs, targets)
    }
}
rowwise! { Nll, nll_of_labels, nobody, constants = [], numbers = []; }
rowwise! {
    WeightedNll, weighted_nll_of_labels, labels, constants = [C::N], numbers = [];
    fn constants(&self) -> Result<Vec<f64>> {
        class_weights("Nll", &self.weights, C::N)
    }
    fn correct(&self, outputs: &[E], targets: &[u32]) -> Option<Answers> {
        labels_found(outputs, targets)
    }
}
rowwise! { WeightedNll, weighted_nll_of_labels, nobody, constants = [C::N], numbers = []; }
