//! Training as it is seen in a terminal, or in a log.

mod live;
mod sparkline;

use std::io::{IsTerminal, Write as _, stdout};

use super::callback::{BatchRecord, Callback, Flow, NetworkAccess, Plan};
use super::history::{EpochRecord, History, percent};
use super::metrics::MetricRecord;
use crate::error::{Error, Result};
use crate::summary::thousands;
use live::Live;

/// Shows how training goes: a line for each epoch and for its end, and in a terminal a bar for the epoch that runs, with the curves of the
/// losses.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::train::Progress;
/// let progress = Progress::bar();
/// ```
pub struct Progress {
    wanted: bool,
    live: Option<Live>,
    epochs: usize,
    samples: usize,
}

impl Progress {
    /// A bar beside the time left to the end of all epochs and samples per second, and below it loss and accuracy so far,
    /// and the training and validation losses of the epochs before as curves of blocks: `loss 0.1250 █▅▃▂▁`. They change ten
    /// times a second at most. Where standard output is no terminal these are the lines of [`Progress::plain`].
    pub fn bar() -> Self {
        Progress { wanted: stdout().is_terminal(), ..Self::plain() }
    }

    /// One line on standard output for each epoch, and one at the end that says which was the best and whose weights the
    /// network has.
    pub fn plain() -> Self {
        Progress { wanted: false, live: None, epochs: 0, samples: 0 }
    }

    fn line(&self, epoch: &EpochRecord) -> String {
        let mut line = match last_epoch(self.epochs) {
            Some(last) => format!("epoch {:>1$}/{last}", epoch.epoch, last.to_string().len()),
            None => format!("epoch {}", epoch.epoch),
        };
        line += &figures("", Some(epoch.train_loss), epoch.train_accuracy);
        line += &metrics("", epoch, |metric| metric.train);
        line += &figures("validation ", epoch.validation_loss, epoch.validation_accuracy);
        line += &metrics("validation ", epoch, |metric| metric.validation);
        let speed = self.samples as f64 / epoch.seconds.max(1e-9);
        line + &format!("   {:.2} s, {} samples/s", epoch.seconds, thousands(speed as usize))
    }
}

/// Prints a line. Not `println!`: it panics where the reader of a pipe has gone.
fn print(line: &str) -> Result<()> {
    writeln!(stdout(), "{line}").map_err(|e| Error::io("standard output", e))
}

/// The last epoch, if there is one: a training until it is stopped has none.
fn last_epoch(epochs: usize) -> Option<usize> {
    Some(epochs).filter(|&last| last != usize::MAX)
}

/// A loss and an accuracy, as far as there are.
fn figures(of: &str, loss: Option<f64>, accuracy: Option<f64>) -> String {
    let loss = loss.map_or_else(String::new, |loss| format!("   {of}loss {loss:.4}"));
    match accuracy {
        Some(_) => format!("{loss}   {of}accuracy {}", percent(accuracy)),
        None => loss,
    }
}

/// The metrics that have a value.
fn metrics(of: &str, epoch: &EpochRecord, value: fn(&MetricRecord) -> Option<f64>) -> String {
    let metrics = epoch.metrics.iter();
    let valued = metrics.filter_map(|metric| Some((&metric.name, value(metric)?)));
    valued.map(|(name, value)| format!("   {of}{name} {value:.4}")).collect()
}

impl Callback for Progress {
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        self.epochs = plan.last_epoch;
        self.samples = plan.samples;
        self.live = if self.wanted { Live::new(plan) } else { None };
        Ok(())
    }

    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        if let Some(live) = &mut self.live {
            live.batch(batch);
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, epoch: &EpochRecord, _: &mut dyn NetworkAccess) -> Result<Flow> {
        let line = self.line(epoch);
        match &mut self.live {
            Some(live) => live.epoch(epoch, &line),
            None => print(&line)?,
        }
        Ok(Flow::Continue)
    }

    fn on_train_end(&mut self, history: &History, _: &mut dyn NetworkAccess) -> Result<()> {
        if let Some(live) = self.live.take() {
            live.end();
        }
        match history.ending() {
            Some(line) => print(&line),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Goal;

    #[test]
    fn a_line_an_epoch() {
        let progress = Progress { epochs: 10, samples: 60_000, ..Progress::plain() };
        let mut epoch = EpochRecord {
            epoch: 3,
            train_loss: 0.125,
            train_accuracy: Some(0.96125),
            validation_loss: Some(0.1),
            validation_accuracy: Some(0.97),
            seconds: 2.0,
            rate: 1e-3,
            ..EpochRecord::default()
        };
        assert_eq!(
            progress.line(&epoch),
            "epoch  3/10   loss 0.1250   accuracy 96.12%   validation loss 0.1000   \
             validation accuracy 97.00%   2.00 s, 30,000 samples/s"
        );
        epoch.metrics = vec![MetricRecord {
            name: "f1".to_owned(),
            goal: Goal::Larger,
            train: Some(0.5),
            validation: Some(0.25),
            train_confusion: None,
            validation_confusion: None,
        }];
        assert!(
            progress.line(&epoch).contains(
                "accuracy 96.12%   f1 0.5000   validation loss 0.1000   validation accuracy 97.00%   validation f1 0.2500   2.00 s"
            )
        );
        let endless = Progress { epochs: usize::MAX, ..Progress::plain() };
        assert!(endless.line(&epoch).starts_with("epoch 3   loss 0.1250"));
        epoch.metrics.clear();
        epoch.train_accuracy = None;
        epoch.validation_loss = None;
        epoch.validation_accuracy = None;
        assert_eq!(progress.line(&epoch), "epoch  3/10   loss 0.1250   2.00 s, 30,000 samples/s");
    }
}
