//! Training as TensorBoard shows it: files of events, one folder for the training's figures and one for the validation's.

mod events;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::callback::{BatchRecord, Callback, Flow, NetworkAccess, Plan};
use super::history::{EpochRecord, History};
use crate::error::Result;
use events::Events;

/// How long a figure may wait before it is in its file.
const FLUSH: Duration = Duration::from_secs(5);

/// Writes what [TensorBoard](https://www.tensorflow.org/tensorboard) shows: `tensorboard --logdir runs`.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::train::TensorBoard;
/// let board = TensorBoard::new("runs/first");
/// ```
///
/// In `runs/first/train` are, after each batch, `step/loss`, `step/rate` and, where they are wanted,
/// `step/gradient_norm`; after each epoch `loss`, `accuracy`, each metric by its name, `seconds`, and the norms of
/// parameters, `weight_norm/fc1.weight`. In `runs/first/validation` are the figures over the validation samples, by the
/// same names, so that both are drawn into one chart. Figures are at the number of batches trained on so far, where
/// epochs that it has not seen count as many as those of this call of `fit`. TensorBoard stores 32 bits of a number, and
/// no confusion matrices.
///
/// The files are those that the package tensorboard 2.21.0 reads: its `EventAccumulator` gave all scalars back, bit for
/// bit as 32 bits, and forgot those of an earlier training that a later one had begun anew.
///
/// Each call of `fit` writes files of its own into the folders. Where it goes on before the place that an earlier one had
/// come to, its figures replace those that were there.
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    every: usize,
    /// Batches of an epoch.
    batches: usize,
    /// So many epochs were before this call of `fit`, and so many batches.
    before: [usize; 2],
    /// So many epochs have ended, after so many batches.
    ended: [usize; 2],
    train: Option<Events>,
    validation: Option<Events>,
    flushed: Option<Instant>,
}

impl TensorBoard {
    /// Writes into a folder, which is made if it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        TensorBoard {
            folder: folder.into(),
            every: 1,
            batches: 0,
            before: [0; 2],
            ended: [0; 2],
            train: None,
            validation: None,
            flushed: None,
        }
    }

    /// Writes the figures of every `batches`th batch alone.
    #[must_use]
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// The number of batches trained on so far after one of an epoch.
    fn place(&self, epoch: usize, batch: usize) -> usize {
        let [epochs, batches] = self.before;
        batches + (epoch - 1).saturating_sub(epochs) * self.batches + batch
    }

    fn flush(&mut self) -> Result<()> {
        self.flushed = Some(Instant::now());
        self.train.iter_mut().chain(&mut self.validation).try_for_each(Events::flush)
    }
}

/// The events of a folder, which is opened where it has not been.
fn opened<'e>(events: &'e mut Option<Events>, folder: &Path, part: &str) -> Result<&'e mut Events> {
    match events {
        Some(events) => Ok(events),
        none => Ok(none.insert(Events::create(&folder.join(part))?)),
    }
}

impl Callback for TensorBoard {
    /// A folder that cannot be written into is found before hours of training, not after.
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        self.batches = plan.batches();
        let epochs = plan.first_epoch - 1;
        // Epochs on other data had other numbers of batches.
        self.before = match self.ended {
            [ended, batches] if ended == epochs => [epochs, batches],
            _ => [epochs, epochs * self.batches],
        };
        (self.train, self.validation) = (None, None);
        opened(&mut self.train, &self.folder, "train")?;
        self.flush()
    }

    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        let step = self.place(batch.epoch, batch.batch);
        if !step.is_multiple_of(self.every) {
            return Ok(());
        }
        let events = opened(&mut self.train, &self.folder, "train")?;
        events.scalar(step, "step/loss", batch.loss)?;
        events.scalar(step, "step/rate", batch.rate)?;
        if let Some(norm) = batch.gradient_norm {
            events.scalar(step, "step/gradient_norm", norm)?;
        }
        match self.flushed.is_some_and(|then| then.elapsed() < FLUSH) {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn on_epoch_end(&mut self, epoch: &EpochRecord, _: &mut dyn NetworkAccess) -> Result<Flow> {
        let step = self.place(epoch.epoch, self.batches);
        self.ended = [epoch.epoch, step];
        let train = opened(&mut self.train, &self.folder, "train")?;
        train.scalar(step, "loss", epoch.train_loss)?;
        train.scalar(step, "seconds", epoch.seconds)?;
        if let Some(accuracy) = epoch.train_accuracy {
            train.scalar(step, "accuracy", accuracy)?;
        }
        for metric in &epoch.metrics {
            if let Some(value) = metric.train {
                train.scalar(step, &metric.name, value)?;
            }
        }
        for weight in &epoch.weight_norms {
            train.scalar(step, &format!("weight_norm/{}", weight.name), weight.norm)?;
        }
        if let Some(loss) = epoch.validation_loss {
            let validation = opened(&mut self.validation, &self.folder, "validation")?;
            validation.scalar(step, "loss", loss)?;
            if let Some(accuracy) = epoch.validation_accuracy {
                validation.scalar(step, "accuracy", accuracy)?;
            }
            for metric in &epoch.metrics {
                if let Some(value) = metric.validation {
                    validation.scalar(step, &metric.name, value)?;
                }
            }
        }
        self.flush()?;
        Ok(Flow::Continue)
    }

    fn on_train_end(&mut self, _: &History, _: &mut dyn NetworkAccess) -> Result<()> {
        let outcome = self.flush();
        (self.train, self.validation) = (None, None);
        outcome
    }
}
