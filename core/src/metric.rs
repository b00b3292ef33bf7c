//! Figures beside the loss: what was taken for what, errors of regressions, and counts of right answers.

mod confusion;
mod measure;
mod ranking;
mod regression;

use crate::element::{Element, Float};
use crate::error::{Error, Result};

pub use confusion::Confusion;
pub use measure::measure;
pub use ranking::TopK;
pub use regression::Regression;

/// A figure that batches add to: of outputs `E` and targets `T`.
///
/// [`measure`] takes it over a whole data set; in a loop of one's own, [`Metric::add`] takes what
/// [`TrainStep::read_outputs`](crate::step::TrainStep::read_outputs) or a predictor gives.
pub trait Metric<E: Float, T: Element> {
    /// Adds the outputs of some samples and their targets.
    ///
    /// # Errors
    /// If there are not as many of one as of the other, or a label is out of range.
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()>;
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
/// assert_eq!(netform_core::metric::argmax(&[0.1, 0.7, 0.2]), 1);
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
/// let outputs = [0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7];
/// assert_eq!(netform_core::metric::correct_labels(&outputs, &[1, 1, 1]), 2);
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
/// assert_eq!(netform_core::metric::correct_sides(&[0.7, 0.2, 0.6], 0.5, &[1.0, 0.0, 0.0], 0.5), 2);
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
