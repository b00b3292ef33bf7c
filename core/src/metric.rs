//! Figures beside the loss: what was taken for what, errors of regressions, and counts of right answers.

mod confusion;
mod figures;
mod measure;
mod ranking;
mod regression;
mod unscaled;

use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::shape::SampleShape;

pub use confusion::Confusion;
pub use figures::{Accuracy, F1, Mae, Precision, R2, Recall, Rmse};
pub use measure::measure;
pub use ranking::TopK;
pub use regression::Regression;
pub(crate) use unscaled::Unscaled;

/// A figure that batches add to: of outputs `E` and targets `T`.
///
/// [`measure`] takes it over a whole data set; in a loop of one's own, [`Metric::add`] takes what
/// [`TrainStep::read_outputs`](crate::step::TrainStep::read_outputs) or a predictor gives. One that is a [`Figure`] too
/// can be kept by a trainer: [`Trainer::metric`](crate::train::Trainer::metric).
#[diagnostic::on_unimplemented(
    message = "metric `{Self}` does not take outputs of `{E}` with targets of `{T}`",
    label = "with targets of `{T}`",
    note = "`Mae`, `Rmse`, `R2` and `Regression` take targets of the outputs' own element, `TopK` takes labels (`u32`); all others take both, labels and rows of probabilities"
)]
pub trait Metric<E: Float, T: Element> {
    /// Adds the outputs of some samples and their targets.
    ///
    /// # Errors
    /// If there are not as many of one as of the other, or a label is out of range.
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()>;

    /// How many outputs a row has, where the targets do not tell.
    #[doc(hidden)]
    fn row(&self) -> Option<usize> {
        None
    }
}

/// A metric that comes to one number over a data set.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::error::Result;
/// use netform::metric::{Figure, Goal, Metric};
///
/// /// The part of the answers that is not even close.
/// #[derive(Default)]
/// struct FarOff {
///     /// Those, and all.
///     sums: [f64; 2],
/// }
///
/// impl Metric<f32, f32> for FarOff {
///     fn add(&mut self, outputs: &[f32], targets: &[f32]) -> Result<()> {
///         let far = outputs.iter().zip(targets).filter(|(y, t)| (*y - *t).abs() > 1.0).count();
///         self.sums[0] += far as f64;
///         self.sums[1] += outputs.len() as f64;
///         Ok(())
///     }
/// }
///
/// impl Figure for FarOff {
///     fn value(&self) -> Option<f64> {
///         (self.sums[1] > 0.0).then(|| self.sums[0] / self.sums[1])
///     }
///     fn goal(&self) -> Goal {
///         Goal::Smaller
///     }
///     fn sums(&mut self) -> &mut [f64] {
///         &mut self.sums
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric that comes to one number",
    label = "not a metric",
    note = "a metric is a value: `Mae::new()`, `Accuracy::new(3)` of three classes, `F1::macro_average(3)`, `TopK::new(5)`, `Confusion::new(3)`, or one of your own that implements `Metric` and `Figure`"
)]
pub trait Figure {
    /// The number; nothing of no samples, or where it has no meaning for those that there are.
    fn value(&self) -> Option<f64>;

    /// Which of two values is better.
    fn goal(&self) -> Goal;

    /// All that it has added up, as numbers: zeros of no samples. A trainer sets them to 0 before an epoch, and saves
    /// them with a training in the middle of one.
    fn sums(&mut self) -> &mut [f64];

    /// What was taken for what: a matrix that a trainer keeps for each epoch. [`Confusion`] alone has it: of many classes
    /// it is large, and metrics that come to one number of it would each keep one.
    fn confusion(&self) -> Option<&Confusion> {
        None
    }
}

/// Which of two values of a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The larger one: of an accuracy.
    Larger,
    /// The smaller one: of an error.
    Smaller,
}

/// That there are so many outputs for each target.
fn rows_of(what: &str, outputs: usize, targets: usize, each: usize) -> Result<()> {
    if targets.checked_mul(each) == Some(outputs) {
        return Ok(());
    }
    Err(Error::Size {
        what: what.to_owned(),
        expected: format!("{each} outputs for each of {targets} targets"),
        found: outputs.to_string(),
    })
}

/// That a metric is of rows as a network's outputs have them: of their last axis, or of all of them.
pub(crate) fn check_row<O: SampleShape>(what: &str, row: Option<usize>) -> Result<()> {
    let last = O::RANK.checked_sub(1).map_or(1, |axis| O::SIZES[axis]);
    let Some(row) = row.filter(|row| ![last, O::NUMEL].contains(row)) else { return Ok(()) };
    Err(Error::Size {
        what: what.to_owned(),
        expected: format!("{row} outputs in a row, as many as it was made for"),
        found: format!("{last} in each row of the network's outputs"),
    })
}

/// How many of a batch's answers are right, of how many: what an accuracy is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The right ones.
    pub correct: usize,
    /// All of them: one for each label or row of probabilities, or for each of several binary labels.
    pub judged: usize,
}

/// The position of the largest value of a row, the first of several; 0 for an empty row. What is not a
/// number is never the largest.
///
/// ```
/// # extern crate netform_core as netform;
/// assert_eq!(netform::metric::argmax(&[0.1, 0.7, 0.2]), 1);
/// ```
pub fn argmax<E: Float>(row: &[E]) -> usize {
    let mut best = (0, E::NEG_INFINITY);
    for (i, &x) in row.iter().enumerate() {
        if x > best.1 {
            best = (i, x);
        }
    }
    best.0
}

/// [`argmax`] of each row of `classes` values.
pub fn argmax_rows<E: Float>(values: &[E], classes: usize) -> impl Iterator<Item = usize> {
    values.chunks_exact(classes.max(1)).map(argmax)
}

/// How many rows of `outputs` have their largest value at their label; there are as many rows as labels.
///
/// ```
/// # extern crate netform_core as netform;
/// let outputs = [0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7];
/// assert_eq!(netform::metric::correct_labels(&outputs, &[1, 1, 1]), 2);
/// ```
pub fn correct_labels<E: Float>(outputs: &[E], labels: &[u32]) -> usize {
    let classes = outputs.len().checked_div(labels.len()).unwrap_or(0);
    argmax_rows(outputs, classes)
        .zip(labels)
        .filter(|(found, label)| *found == **label as usize)
        .count()
}

/// How many rows of `classes` outputs have their largest value where the row of targets has its own:
/// for targets that are probabilities, or one-hot.
pub fn correct_rows<E: Float>(outputs: &[E], targets: &[E], classes: usize) -> usize {
    argmax_rows(outputs, classes)
        .zip(argmax_rows(targets, classes))
        .filter(|(found, expected)| found == expected)
        .count()
}

/// How many logits are on the side of 0 that their target, 0 or 1, says: for binary classification.
pub fn correct_signs<E: Float>(logits: &[E], targets: &[E]) -> usize {
    correct_sides(logits, E::ZERO, targets, E::from_f64(0.5))
}

/// How many outputs are on the side of `threshold` on which their target is of `middle`: for binary
/// classification by probabilities (0.5 and 0.5), or by scores with targets of -1 and 1 (0 and 0).
///
/// ```
/// # extern crate netform_core as netform;
/// assert_eq!(netform::metric::correct_sides(&[0.7, 0.2, 0.6], 0.5, &[1.0, 0.0, 0.0], 0.5), 2);
/// ```
pub fn correct_sides<E: Float>(outputs: &[E], threshold: E, targets: &[E], middle: E) -> usize {
    outputs.iter().zip(targets).filter(|(x, t)| (**x > threshold) == (**t > middle)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest() {
        assert_eq!(argmax(&[1.0f32, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[f64::NAN, -1.0]), 1);
        assert_eq!(argmax::<f32>(&[]), 0);
    }

    #[test]
    fn counts() {
        assert_eq!(correct_labels(&[0.0f32, 1.0, 1.0, 0.0], &[1, 0]), 2);
        assert_eq!(correct_labels::<f32>(&[], &[]), 0);
        assert_eq!(correct_rows(&[0.0f32, 1.0, 1.0, 0.0], &[0.2, 0.8, 0.1, 0.9], 2), 1);
        assert_eq!(correct_signs(&[2.0f64, -1.0, 0.5], &[1.0, 0.0, 0.0]), 2);
    }
}
