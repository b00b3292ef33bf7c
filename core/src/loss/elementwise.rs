//! Losses of elements: each output with a target of its own.

use super::{Constant, Loss, Misfit, NoTarget, TARGET, in_range};
use crate::device::{Bindings, Device, Kernels, Span};
use crate::dim::Static;
use crate::element::Float;
use crate::error::Result;
use crate::feed::BESIDE;
use crate::metric::{self, Answers};
use crate::outputs::Outputs;
use crate::shape::SampleShape;

netform_macros::network! {
    /// The squared error.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
    pub(crate) fn squared_error(prediction: [..S], target: [..S]) -> [] {
        square(prediction - target)
    }

    /// The absolute error.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html>
    pub(crate) fn absolute_error(prediction: [..S], target: [..S]) -> [] {
        abs(prediction - target)
    }

    /// Half the square of small errors, delta (|error| - delta / 2) of others.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html>
    pub(crate) fn huber_error(prediction: [..S], target: [..S], delta: f32) -> [] {
        let error = abs(prediction - target);
        select(error <= delta, 0.5 * square(error), delta * (error - 0.5 * delta))
    }

    /// The Huber error over beta.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html>
    pub(crate) fn smooth_absolute_error(prediction: [..S], target: [..S], beta: f32) -> [] {
        let error = abs(prediction - target);
        select(error < beta, 0.5 * square(error) / beta, error - 0.5 * beta)
    }

    /// -target ln sigmoid(x) - (1 - target) ln (1 - sigmoid(x)), without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>
    pub(crate) fn binary_cross_entropy(logits: [..S], target: [..S]) -> [] {
        softplus(logits) - logits * target
    }

    /// ln p, but at least -100. At 0 the derivative of what is selected is 0, not infinite.
    fn bounded_ln(p: [..S]) -> [] {
        let positive = p > 0.0;
        select(positive, max(ln(select(positive, p, 1.0)), -100.0), -100.0)
    }

    /// -target ln p - (1 - target) ln (1 - p); logarithms are at least -100.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html>
    pub(crate) fn binary_cross_entropy_of_probabilities(p: [..S], target: [..S]) -> [] {
        -target * bounded_ln(p) - (1.0 - target) * bounded_ln(1.0 - p)
    }

    /// max(0, 1 - target x), for targets of -1 and 1.
    pub(crate) fn hinge_error(score: [..S], target: [..S]) -> [] {
        relu(1.0 - score * target)
    }
}

/// The mean squared error, over all elements: the mean of (y - t)^2.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
///
/// Outputs of any shape, targets of that shape.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::Mse;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let trainer = Trainer::new(Mse, Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mse;

/// The mean absolute error, over all elements: the mean of |y - t|.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html>
///
/// Outputs of any shape, targets of that shape.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{L1, LossGradient};
/// use netform::tensor::Tensor;
///
/// let outputs = Tensor::<(Batch, D<2>)>::from_vec(vec![1.0, 2.0])?;
/// let targets = Tensor::<(Batch, D<2>)>::from_vec(vec![3.0, -2.0])?;
/// let mut loss = LossGradient::new(L1);
/// let (value, gradient) = loss.run(&outputs, &targets)?;
/// assert_eq!((value, gradient.to_vec()), (3.0, vec![-0.5, 0.5]));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct L1;

/// The Huber loss: the mean of (y - t)^2 / 2 where |y - t| is at most delta, else of delta (|y - t| - delta / 2).
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html>
///
/// Outputs of any shape, targets of that shape. The delta is a value of run time.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::Huber;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let trainer = Trainer::new(Huber::new(0.5), Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Huber {
    delta: f64,
}

impl Huber {
    /// With a delta above 0; others are an error where training begins.
    pub fn new(delta: f64) -> Self {
        Huber { delta }
    }
}

/// With a delta of 1.
impl Default for Huber {
    fn default() -> Self {
        Huber::new(1.0)
    }
}

/// The smooth L1 loss: the mean of (y - t)^2 / (2 beta) where |y - t| is below beta, else of |y - t| - beta / 2.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html>
///
/// Outputs of any shape, targets of that shape. The beta is a value of run time.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::SmoothL1;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let trainer = Trainer::new(SmoothL1::new(0.1), Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothL1 {
    beta: f64,
}

impl SmoothL1 {
    /// With a beta above 0; others are an error where training begins. A beta of 0 would be [`L1`].
    pub fn new(beta: f64) -> Self {
        SmoothL1 { beta }
    }
}

/// With a beta of 1.
impl Default for SmoothL1 {
    fn default() -> Self {
        SmoothL1::new(1.0)
    }
}

/// The binary cross entropy of logits with targets from 0 to 1, for one or several labels a sample; the
/// mean over all elements of ln (1 + e^x) - t x.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>
///
/// Outputs of any shape, targets of that shape. An answer is right where its logit is above 0 as its target is
/// above 0.5.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::BceWithLogits;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let trainer = Trainer::new(BceWithLogits, Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BceWithLogits;

/// The binary cross entropy of probabilities, as `Sigmoid` yields them, with targets from 0 to 1; the mean over
/// all elements of -t ln p - (1 - t) ln (1 - p), logarithms no less than -100. [`BceWithLogits`] is more precise.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html>
///
/// Outputs of any shape, targets of that shape. An answer is right where its probability is above 0.5 as its target
/// is.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::loss::Bce;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// let trainer = Trainer::new(Bce, Adam::new(1e-3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Bce;

/// The hinge loss of scores with targets of -1 and 1, as support vector machines have it: the mean over all
/// elements of max(0, 1 - t x). It is the expression `hinge(x, t)`, and no loss of PyTorch's: its
/// [`HingeEmbeddingLoss`](https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html)
/// is of distances.
///
/// Outputs of any shape, targets of that shape. An answer is right where its score is above 0 as its target is.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::dim::{Batch, D};
/// use netform::loss::{Hinge, LossGradient};
/// use netform::tensor::Tensor;
///
/// let scores = Tensor::<(Batch, D<1>)>::from_vec(vec![2.0, 0.5])?;
/// let targets = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0, -1.0])?;
/// let mut loss = LossGradient::new(Hinge);
/// assert_eq!(loss.run(&scores, &targets)?.0, 0.75);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hinge;

/// That a setting is above 0.
fn positive(what: &str, value: f64) -> Result<Vec<f64>> {
    in_range(what, value, "above 0, and finite", |x| x > 0.0 && x.is_finite())?;
    Ok(Vec::new())
}

/// What the losses of probabilities take, and what else there is.
const PROBABILITIES: &str = "binary cross entropy takes numbers from 0 to 1; `Mse` is for other numbers, and a table's `ordinal` makes 0 and 1 of two words";

elementwise! {
    Mse, squared_error, numbers = [];
    fn constant(&self, targets: &[E], known: &mut Constant) -> Option<f64> {
        known.of_numbers(targets)
    }
}
elementwise! { L1, absolute_error, numbers = []; }
elementwise! {
    Huber, huber_error, numbers = [|loss| [loss.delta]];
    fn constants(&self) -> Result<Vec<f64>> {
        positive("the delta of `Huber`", self.delta)
    }
}
elementwise! {
    SmoothL1, smooth_absolute_error, numbers = [|loss| [loss.beta]];
    fn constants(&self) -> Result<Vec<f64>> {
        positive("the beta of `SmoothL1`", self.beta)
    }
}
elementwise! {
    BceWithLogits, binary_cross_entropy, numbers = [];
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        let correct = metric::correct_signs(outputs, targets);
        Some(Answers { correct, judged: targets.len() })
    }
    fn misfit(&self, targets: &[E]) -> Option<Misfit> {
        Misfit::of_probabilities(targets, PROBABILITIES)
    }
    fn refuses(&self, outputs: Outputs) -> Option<&'static str> {
        (outputs != Outputs::Logits).then_some("`BceWithLogits` takes logits, of which it makes probabilities itself: leave the last layer out (a `Classifier`, or `sigmoid` of the outputs, gives probabilities afterwards), or train probabilities with `Bce`")
    }
    fn constant(&self, targets: &[E], known: &mut Constant) -> Option<f64> {
        known.of_binaries(targets)
    }
}
elementwise! {
    Bce, binary_cross_entropy_of_probabilities, numbers = [];
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        let half = E::from_f64(0.5);
        let correct = metric::correct_sides(outputs, half, targets, half);
        Some(Answers { correct, judged: targets.len() })
    }
    fn misfit(&self, targets: &[E]) -> Option<Misfit> {
        Misfit::of_probabilities(targets, PROBABILITIES)
    }
    fn refuses(&self, outputs: Outputs) -> Option<&'static str> {
        (outputs == Outputs::LogProbabilities).then_some("`Bce` takes probabilities: leave the last layer out and train with `BceWithLogits`, or write `Sigmoid` in its place")
    }
    fn constant(&self, targets: &[E], known: &mut Constant) -> Option<f64> {
        known.of_binaries(targets)
    }
}
elementwise! {
    Hinge, hinge_error, numbers = [];
    fn correct(&self, outputs: &[E], targets: &[E]) -> Option<Answers> {
        let correct = metric::correct_sides(outputs, E::ZERO, targets, E::ZERO);
        Some(Answers { correct, judged: targets.len() })
    }
    fn misfit(&self, targets: &[E]) -> Option<Misfit> {
        let expected = "`Hinge` takes -1 and 1: 2 t - 1 of targets t that are 0 and 1; `Mse` is for other numbers";
        Misfit::unless(targets, |target| (target == E::ONE) | (target == -E::ONE), expected)
    }
}
