//! Losses and correct answers of batches, added up; and what a network that has learned nothing would come to.

use crate::element::{Element, Float};
use crate::loss::{Constant, Loss};
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

/// The loss of the best constant answer to the targets of a data set, of which each is seen once: in the first pass over
/// it that is whole.
#[derive(Clone, Debug)]
pub(super) struct Yardstick {
    known: Constant,
    width: usize,
    loss: Option<f64>,
    wanted: bool,
}

impl Yardstick {
    /// Of samples with so many numbers in their targets; of none of them unless it is wanted.
    pub fn new(width: usize, wanted: bool) -> Self {
        Yardstick { known: Constant::new(width), width, loss: None, wanted }
    }

    /// Whether targets are to be added.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Begins a pass: what came of one before it that was not whole counts no more.
    pub fn begin(&mut self) {
        self.known = Constant::new(self.width);
        self.loss = None;
    }

    /// Adds the targets of a batch.
    pub fn add<E, O, Y, T, L>(&mut self, loss: &L, targets: &[T])
    where
        E: Float,
        O: SampleShape,
        Y: SampleShape,
        T: Element,
        L: Loss<E, O, Y, T>,
    {
        if self.wanted {
            self.loss = loss.constant(targets, &mut self.known);
            // Nor is it known of more of them.
            self.wanted = self.loss.is_some();
        }
    }

    /// What came of a pass that was whole: of this one, or of one before.
    pub fn end(&mut self) -> Option<f64> {
        self.wanted = false;
        self.loss
    }
}
