//! The figures of a history that people read in tables: in columns, without those that are empty.

use super::{EpochRecord, History, MetricRecord};

/// A figure of every epoch.
pub(crate) struct Course<'h> {
    /// Whether it is of the validation samples.
    pub validation: bool,
    /// What it is: `loss`, `accuracy` or a metric's name.
    pub name: &'h str,
    /// Its values, in the order of the epochs.
    pub values: Vec<Option<f64>>,
}

impl History {
    /// The figures of all epochs, those of the training samples first; none that has no value in any epoch. The metrics are
    /// those of the last epoch.
    pub(crate) fn columns(&self) -> Vec<Course<'_>> {
        let metrics = self.last().map_or(&[][..], |last| &last.metrics);
        let mut columns = Vec::new();
        for validation in [false, true] {
            let mut add = |name, value: &dyn Fn(&EpochRecord) -> Option<f64>| {
                let values: Vec<_> = self.epochs.iter().map(value).collect();
                if values.iter().any(Option::is_some) {
                    columns.push(Course { validation, name, values });
                }
            };
            let of = |train, other| if validation { other } else { train };
            add("loss", &|epoch| of(Some(epoch.train_loss), epoch.validation_loss));
            add("accuracy", &|epoch| of(epoch.train_accuracy, epoch.validation_accuracy));
            for MetricRecord { name, .. } in metrics {
                add(name, &|epoch| epoch.metric(name).and_then(|it| of(it.train, it.validation)));
            }
        }
        columns
    }

    /// How a training ended that did not fail, as a line; nothing of one without an epoch.
    pub(crate) fn ending(&self) -> Option<String> {
        let kept = self.best_and_kept().filter(|_| self.failure.is_none())?;
        let how = match (self.interrupted, self.stopped_early) {
            (true, _) => "interrupted; ",
            (false, true) => "stopped early; ",
            (false, false) => "",
        };
        Some(format!("{how}{kept}; {:.1} s", self.seconds()))
    }

    /// Which epoch is the best, and of which one the network has the weights.
    pub(crate) fn best_and_kept(&self) -> Option<String> {
        let best = self.best_epoch?;
        let text = format!("the best epoch is {best}");
        let last = |epoch| self.last().is_some_and(|last| last.epoch == epoch);
        Some(match self.weights_of {
            Some(epoch) if epoch == best => format!("{text}, and the network has its weights"),
            Some(epoch) if last(epoch) => {
                format!("{text}; the network has the weights of epoch {epoch}, the last")
            }
            Some(epoch) => format!("{text}; the network has the weights of epoch {epoch}"),
            None => text,
        })
    }
}
