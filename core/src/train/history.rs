//! What training was like, epoch by epoch.

use std::fmt;

use crate::summary::table;

/// The figures of one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochRecord {
    /// The epoch, from 1; a continued training goes on counting.
    pub epoch: usize,
    /// The mean loss over the training samples, each from before its batch's update.
    pub train_loss: f64,
    /// The part of the training samples classified correctly, where the loss has classes.
    pub train_accuracy: Option<f64>,
    /// The mean loss over the validation samples after the epoch.
    pub validation_loss: Option<f64>,
    /// The part of the validation samples classified correctly.
    pub validation_accuracy: Option<f64>,
    /// The time that the epoch and its validation took.
    pub seconds: f64,
    /// The learning rate.
    pub rate: f64,
}

impl EpochRecord {
    /// The loss that is watched for improvement: the validation's, or the training's without one.
    pub fn monitored(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}

/// The epochs of one call of `fit`. `{}` prints them as a table.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The epochs, in order.
    pub epochs: Vec<EpochRecord>,
    /// The number of the epoch with the smallest validation loss (training loss without validation).
    pub best_epoch: Option<usize>,
    /// Whether a callback stopped training before its last epoch.
    pub stopped_early: bool,
    /// Whether training was told to stop from outside: [`Trainer::stop_when`](super::Trainer::stop_when).
    pub interrupted: bool,
}

impl History {
    pub(super) fn push(&mut self, record: EpochRecord) {
        let loss = record.monitored();
        if self.best().map_or(!loss.is_nan(), |best| loss < best.monitored()) {
            self.best_epoch = Some(record.epoch);
        }
        self.epochs.push(record);
    }

    /// The last epoch.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }

    /// The epoch with the smallest validation loss (training loss without validation).
    pub fn best(&self) -> Option<&EpochRecord> {
        self.epochs.iter().find(|record| Some(record.epoch) == self.best_epoch)
    }

    /// The training loss of each epoch.
    pub fn train_losses(&self) -> impl Iterator<Item = f64> {
        self.epochs.iter().map(|record| record.train_loss)
    }

    /// The validation loss of each epoch that has one.
    pub fn validation_losses(&self) -> impl Iterator<Item = f64> {
        self.epochs.iter().filter_map(|record| record.validation_loss)
    }

    /// The time of all epochs.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|record| record.seconds).sum()
    }

    /// The epochs as comma-separated values, with a heading; a figure that there is not is empty.
    ///
    /// ```
    /// # let history = netform_core::train::History::default();
    /// assert!(history.to_csv().starts_with("epoch,train_loss,train_accuracy,validation_loss"));
    /// ```
    pub fn to_csv(&self) -> String {
        let mut text =
            "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,rate\n"
                .to_owned();
        let some = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
        for record in &self.epochs {
            let figures = [
                record.epoch.to_string(),
                record.train_loss.to_string(),
                some(record.train_accuracy),
                some(record.validation_loss),
                some(record.validation_accuracy),
                record.seconds.to_string(),
                record.rate.to_string(),
            ];
            text.push_str(&figures.join(","));
            text.push('\n');
        }
        text
    }

    /// The epochs of [`History::to_csv`]: numbers come back as they were.
    pub(super) fn from_csv(text: &str) -> Option<Self> {
        let mut history = History::default();
        for line in text.lines().skip(1) {
            let figures: Vec<&str> = line.split(',').collect();
            let [epoch, loss, accuracy, of_validation, right, seconds, rate] = figures[..] else {
                return None;
            };
            let some = |text: &str| match text {
                "" => Some(None),
                text => text.parse().ok().map(Some),
            };
            history.push(EpochRecord {
                epoch: epoch.parse().ok()?,
                train_loss: loss.parse().ok()?,
                train_accuracy: some(accuracy)?,
                validation_loss: some(of_validation)?,
                validation_accuracy: some(right)?,
                seconds: seconds.parse().ok()?,
                rate: rate.parse().ok()?,
            });
        }
        Some(history)
    }
}

/// A part as a percentage; empty where there is none.
pub(super) fn percent(part: Option<f64>) -> String {
    part.map_or_else(String::new, |part| format!("{:.2}%", 100.0 * part))
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self
            .epochs
            .iter()
            .map(|record| {
                let best = if Some(record.epoch) == self.best_epoch { " *" } else { "  " };
                [
                    format!("{}{best}", record.epoch),
                    format!("{:.6}", record.train_loss),
                    percent(record.train_accuracy),
                    record.validation_loss.map_or_else(String::new, |loss| format!("{loss:.6}")),
                    percent(record.validation_accuracy),
                    format!("{:.2}", record.seconds),
                    record.rate.to_string(),
                ]
            })
            .collect();
        let heading = ["epoch  ", "loss", "accuracy", "validation", "accuracy", "seconds", "rate"];
        table(f, heading, &rows, 0)?;
        if let Some(best) = self.best_epoch {
            let end = if self.stopped_early { "; training was stopped early" } else { "" };
            writeln!(f, "* the best epoch is {best}{end}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History { stopped_early: true, ..History::default() };
        for (epoch, validation) in [(1, 0.5), (2, 0.25), (3, 0.75)] {
            history.push(EpochRecord {
                epoch,
                train_loss: 1.0 / epoch as f64,
                train_accuracy: Some(0.5),
                validation_loss: Some(validation),
                validation_accuracy: None,
                seconds: 2.0,
                rate: 0.125,
            });
        }
        history
    }

    #[test]
    fn the_best_epoch_has_the_smallest_validation_loss() {
        let history = history();
        assert_eq!(history.best_epoch, Some(2));
        assert_eq!(history.best().and_then(|best| best.validation_loss), Some(0.25));
        assert_eq!(history.seconds(), 6.0);
        assert_eq!(history.validation_losses().collect::<Vec<_>>(), [0.5, 0.25, 0.75]);
    }

    #[test]
    fn as_a_table() {
        let expected = "\
epoch         loss   accuracy   validation   accuracy   seconds    rate
    1     1.000000     50.00%     0.500000                 2.00   0.125
    2 *   0.500000     50.00%     0.250000                 2.00   0.125
    3     0.333333     50.00%     0.750000                 2.00   0.125
* the best epoch is 2; training was stopped early
";
        assert_eq!(history().to_string(), expected);
    }

    #[test]
    fn as_csv() {
        let csv = history().to_csv();
        assert_eq!(csv.lines().nth(2), Some("2,0.5,0.5,0.25,,2,0.125"));
        assert_eq!(csv.lines().count(), 4);
    }
}
