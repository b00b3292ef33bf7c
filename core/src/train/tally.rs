//! Losses and correct answers of batches, added up.

use crate::element::{Element, Float};
use crate::loss::Loss;
use crate::metric::Answers;
use crate::shape::SampleShape;

/// The loss and the accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss over the samples.
    pub loss: f64,
    /// The part that was classified correctly, where the loss has classes.
    pub accuracy: Option<f64>,
}

/// The sums behind an [`Evaluation`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// The sum over samples.
    pub loss: f64,
    pub samples: usize,
    pub answers: Answers,
}

impl Tally {
    /// Adds the mean loss of a batch. Batches count by their samples: the last one may be smaller.
    pub fn add_loss(&mut self, loss: f64, samples: usize) {
        self.loss += loss * samples as f64;
        self.samples += samples;
    }

    /// Adds the correct answers of a batch; says whether the loss judges them at all.
    pub fn add_answers<E, O, Y, T, L>(&mut self, loss: &L, outputs: &[E], targets: &[T]) -> bool
    where
        E: Float,
        O: SampleShape,
        Y: SampleShape,
        T: Element,
        L: Loss<E, O, Y, T>,
    {
        let Some(Answers { correct, judged }) = loss.correct(outputs, targets) else {
            return false;
        };
        self.answers.correct += correct;
        self.answers.judged += judged;
        true
    }

    /// The means.
    pub fn evaluation(&self) -> Evaluation {
        let Answers { correct, judged } = self.answers;
        Evaluation {
            loss: self.loss / self.samples.max(1) as f64,
            accuracy: (judged > 0).then(|| correct as f64 / judged as f64),
        }
    }
}
