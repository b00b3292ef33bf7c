//! What training was like, epoch by epoch.

mod columns;
mod json;
mod steps;
mod text;

use super::metrics::MetricRecord;
use crate::metric::Goal;

pub use steps::StepRecord;
pub(super) use steps::{packed, unpacked};
pub(super) use text::percent;

/// The figures of one epoch.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The time that the epoch and its validation took; since then where a resumed training goes on in its middle.
    pub seconds: f64,
    /// The learning rate.
    pub rate: f64,
    /// The metrics, in the order in which the trainer was given them.
    pub metrics: Vec<MetricRecord>,
    /// The norms of the parameters after the epoch, where they are wanted:
    /// [`Trainer::weight_norms`](super::Trainer::weight_norms).
    pub weight_norms: Vec<WeightNorm>,
}

/// The norm of a parameter, as of one vector: the root of the sum of its squares, which is one of the network's elements:
/// of `f32`, a norm above about 1.8e19 is infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightNorm {
    /// The parameter: `fc1.weight`.
    pub name: String,
    /// Its norm.
    pub norm: f64,
}

impl EpochRecord {
    /// The loss that is watched for improvement: the validation's, or the training's without one.
    pub fn monitored(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }

    /// The metric of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricRecord> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The figure of this name, `loss`, `accuracy` or a metric's, and which of two values of it is better: over the
    /// validation samples, also where it has no value for them, or over the training samples without validation. Nothing
    /// where there is no such figure.
    pub fn figure(&self, name: &str) -> Option<(Option<f64>, Goal)> {
        // Epochs are compared: a value over other samples is no replacement for one that is missing.
        let of = |train, validation| match self.validation_loss {
            Some(_) => validation,
            None => train,
        };
        match name {
            "loss" => Some((Some(self.monitored()), Goal::Smaller)),
            "accuracy" => Some((of(self.train_accuracy, self.validation_accuracy), Goal::Larger)),
            _ => self.metric(name).map(|it| (of(it.train, it.validation), it.goal)),
        }
    }
}

/// What one call of `fit` was like. `{}` prints the epochs as a table; [`History::to_csv`],
/// [`History::steps_to_csv`] and [`History::to_json`] make files of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The epochs, in order.
    pub epochs: Vec<EpochRecord>,
    /// The steps, in order, those of an epoch that did not come to its end too:
    /// [`Trainer::keep_steps`](super::Trainer::keep_steps).
    pub steps: Vec<StepRecord>,
    /// The number of the epoch with the smallest validation loss (training loss without validation).
    pub best_epoch: Option<usize>,
    /// The epoch after which the network had the weights that it has at the end: the last one, or that of the weights which
    /// a callback put back, as [`EarlyStopping`](super::EarlyStopping) does. Nothing where it has weights from the middle
    /// of an epoch, of a training that failed or was interrupted and where no callback has put others back, and before there is
    /// an epoch.
    pub weights_of: Option<usize>,
    /// The loss of the best answer that is the same for every sample, over the validation samples, or over the training
    /// samples without validation: of [`CrossEntropy`](crate::loss::CrossEntropy), smoothed or not, and
    /// [`Nll`](crate::loss::Nll) that of giving each class the share that it has, of [`Bce`](crate::loss::Bce) and
    /// [`BceWithLogits`](crate::loss::BceWithLogits) of giving each output the mean of its targets, and of
    /// [`Mse`](crate::loss::Mse) too, whose loss is their variance then. A network has to be better to be of use. Nothing
    /// where it is not known: of other losses, and before the first whole pass over the samples.
    pub constant_loss: Option<f64>,
    /// Whether a callback stopped training before its last epoch.
    pub stopped_early: bool,
    /// Whether training was told to stop from outside: [`Trainer::stop_when`](super::Trainer::stop_when).
    pub interrupted: bool,
    /// The error that ended training, as a text. `fit` returns the error itself then, and callbacks have the history:
    /// [`Callback::on_train_end`](super::Callback::on_train_end).
    pub failure: Option<String>,
}

impl History {
    pub(super) fn push(&mut self, record: EpochRecord) {
        let loss = record.monitored();
        if self.best().map_or(!loss.is_nan(), |best| loss < best.monitored()) {
            self.best_epoch = Some(record.epoch);
        }
        self.weights_of = Some(record.epoch);
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

    /// The epoch with the best value of a figure: `loss`, `accuracy` or a metric by its name. The first of several;
    /// nothing where no epoch has a value of it.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # let history = netform::train::History::default();
    /// assert_eq!(history.best_by("accuracy"), None);
    /// ```
    pub fn best_by(&self, name: &str) -> Option<&EpochRecord> {
        let valued = self.epochs.iter().filter_map(|epoch| {
            let (value, goal) = epoch.figure(name)?;
            Some((epoch, value.filter(|value| !value.is_nan())?, goal))
        });
        let best = valued.reduce(|best, next| {
            let better = match best.2 {
                Goal::Larger => next.1 > best.1,
                Goal::Smaller => next.1 < best.1,
            };
            if better { next } else { best }
        });
        best.map(|(epoch, ..)| epoch)
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
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metric::{Confusion, Metric};

    /// Three epochs, the second of which has the smallest loss and the first the best F1.
    pub fn history() -> History {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0.1f32, 0.9, 0.8, 0.2], &[1, 1]).unwrap();
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
                weight_norms: vec![WeightNorm { name: "fc.weight".to_owned(), norm: 0.1 }],
                metrics: vec![MetricRecord {
                    name: "f1".to_owned(),
                    goal: Goal::Larger,
                    train: Some(f64::NAN),
                    validation: (epoch < 3).then(|| 1.0 / epoch as f64),
                    train_confusion: None,
                    validation_confusion: Some(confusion.clone()),
                }],
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
    fn the_best_by_a_figure() {
        let mut history = history();
        let best = |history: &History, name| history.best_by(name).map(|epoch| epoch.epoch);
        // Not compared with values over validation samples, of which the last epoch has none.
        history.epochs[2].metrics[0].train = Some(9.0);
        assert_eq!(best(&history, "f1"), Some(1));
        assert_eq!(best(&history, "loss"), Some(2));
        assert_eq!(best(&history, "accuracy"), None);
        assert_eq!(best(&history, "f2"), None);
        history.epochs.iter_mut().for_each(|epoch| epoch.validation_loss = None);
        assert_eq!(best(&history, "f1"), Some(3));
        assert_eq!(best(&history, "accuracy"), Some(1));
    }
}
