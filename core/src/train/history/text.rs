//! The history for people and tables: columns, aligned or between commas.

use std::fmt;

use super::{EpochRecord, History, MetricRecord, WeightNorm, steps};
use crate::summary::table;

/// A column with a figure of each epoch that there may not be.
type Column = (&'static str, fn(&EpochRecord) -> Option<f64>);

/// The figures that every history has.
const FIGURES: [Column; 6] = [
    ("train_loss", |epoch| Some(epoch.train_loss)),
    ("train_accuracy", |epoch| epoch.train_accuracy),
    ("validation_loss", |epoch| epoch.validation_loss),
    ("validation_accuracy", |epoch| epoch.validation_accuracy),
    ("seconds", |epoch| Some(epoch.seconds)),
    ("rate", |epoch| Some(epoch.rate)),
];

impl History {
    /// The epochs as comma-separated values, with a heading; a figure that there is not is empty. A metric `f1` is in
    /// columns `train_f1` and `validation_f1`, and has no confusion matrix there, and the norm of a parameter `fc1.weight`
    /// in `norm_fc1.weight`. [`History::to_json`] has all.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # let history = netform::train::History::default();
    /// assert!(history.to_csv().starts_with("epoch,train_loss,train_accuracy,validation_loss"));
    /// ```
    pub fn to_csv(&self) -> String {
        let mut heading = vec!["epoch".to_owned()];
        heading.extend(FIGURES.iter().map(|(name, _)| (*name).to_owned()));
        for name in self.metric_names() {
            heading.extend([format!("train_{name}"), format!("validation_{name}")]);
        }
        let norms = self.last().map_or(&[][..], |epoch| &epoch.weight_norms);
        heading.extend(norms.iter().map(|it| format!("norm_{}", it.name)));
        let mut text = heading.join(",") + "\n";
        for epoch in &self.epochs {
            let mut cells = vec![epoch.epoch.to_string()];
            cells.extend(FIGURES.iter().map(|(_, figure)| some(figure(epoch))));
            for name in self.metric_names() {
                let metric = epoch.metric(name);
                cells.push(some(metric.and_then(|metric| metric.train)));
                cells.push(some(metric.and_then(|metric| metric.validation)));
            }
            for WeightNorm { name, .. } in norms {
                let found = epoch.weight_norms.iter().find(|it| it.name == *name);
                cells.push(some(found.map(|it| it.norm)));
            }
            text += &(cells.join(",") + "\n");
        }
        text
    }

    /// The steps as comma-separated values, with a heading; a norm that there is not is empty.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # let history = netform::train::History::default();
    /// assert_eq!(history.steps_to_csv(), "epoch,batch,samples,loss,rate,gradient_norm\n");
    /// ```
    pub fn steps_to_csv(&self) -> String {
        steps::to_csv(&self.steps)
    }

    /// The names of the metrics.
    fn metric_names(&self) -> impl Iterator<Item = &str> {
        self.last().into_iter().flat_map(|epoch| &epoch.metrics).map(|metric| metric.name.as_str())
    }
}

/// A figure as a number that reads back as the same, if there is one.
fn some(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |x| x.to_string())
}

/// A part as a percentage; empty where there is none.
pub(in crate::train) fn percent(part: Option<f64>) -> String {
    part.map_or_else(String::new, |part| format!("{:.2}%", 100.0 * part))
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = |figure: Option<f64>, n: usize| {
            figure.map_or_else(String::new, |figure| format!("{figure:.n$}"))
        };
        let metrics = |epoch: &EpochRecord, figure: fn(&MetricRecord) -> Option<f64>| {
            let cell = |name| decimals(epoch.metric(name).and_then(figure), 4);
            self.metric_names().map(cell).collect::<Vec<_>>()
        };
        let row = |epoch: &EpochRecord| {
            let best = if Some(epoch.epoch) == self.best_epoch { " *" } else { "  " };
            let mut cells = vec![
                format!("{}{best}", epoch.epoch),
                format!("{:.6}", epoch.train_loss),
                percent(epoch.train_accuracy),
            ];
            cells.extend(metrics(epoch, |metric| metric.train));
            cells.push(decimals(epoch.validation_loss, 6));
            cells.push(percent(epoch.validation_accuracy));
            cells.extend(metrics(epoch, |metric| metric.validation));
            cells.extend([format!("{:.2}", epoch.seconds), epoch.rate.to_string()]);
            cells
        };
        let rows: Vec<Vec<String>> = self.epochs.iter().map(row).collect();
        let mut heading = vec!["epoch  ", "loss", "accuracy"];
        heading.extend(self.metric_names());
        heading.extend(["validation", "accuracy"]);
        heading.extend(self.metric_names());
        heading.extend(["seconds", "rate"]);
        table(f, &heading, &rows, 0)?;
        if let Some(best) = self.best_epoch {
            let end = if self.stopped_early { "; training was stopped early" } else { "" };
            writeln!(f, "* the best epoch is {best}{end}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::history;

    #[test]
    fn as_a_table() {
        let mut history = history();
        let expected = "\
epoch         loss   accuracy    f1   validation   accuracy       f1   seconds    rate
    1     1.000000     50.00%   NaN     0.500000              1.0000      2.00   0.125
    2 *   0.500000     50.00%   NaN     0.250000              0.5000      2.00   0.125
    3     0.333333     50.00%   NaN     0.750000                          2.00   0.125
* the best epoch is 2; training was stopped early
";
        assert_eq!(history.to_string(), expected);
        history.epochs.iter_mut().for_each(|epoch| epoch.metrics.clear());
        let expected = "\
epoch         loss   accuracy   validation   accuracy   seconds    rate
    1     1.000000     50.00%     0.500000                 2.00   0.125
    2 *   0.500000     50.00%     0.250000                 2.00   0.125
    3     0.333333     50.00%     0.750000                 2.00   0.125
* the best epoch is 2; training was stopped early
";
        assert_eq!(history.to_string(), expected);
    }

    #[test]
    fn epochs_of_several_trainings_have_the_metrics_of_the_last() {
        let mut history = history();
        history.epochs[0].metrics.clear();
        let mut other = history.epochs[1].metrics[0].clone();
        other.name = "other".to_owned();
        history.epochs[1].metrics.insert(0, other);
        let expected = "\
epoch         loss   accuracy    f1   validation   accuracy       f1   seconds    rate
    1     1.000000     50.00%           0.500000                          2.00   0.125
    2 *   0.500000     50.00%   NaN     0.250000              0.5000      2.00   0.125
    3     0.333333     50.00%   NaN     0.750000                          2.00   0.125
* the best epoch is 2; training was stopped early
";
        assert_eq!(history.to_string(), expected);
    }

    #[test]
    fn as_csv() {
        let csv = history().to_csv();
        assert!(
            csv.lines()
                .next()
                .is_some_and(|line| line.ends_with("rate,train_f1,validation_f1,norm_fc.weight"))
        );
        assert_eq!(csv.lines().nth(2), Some("2,0.5,0.5,0.25,,2,0.125,NaN,0.5,0.1"));
        assert_eq!(csv.lines().nth(3), Some("3,0.3333333333333333,0.5,0.75,,2,0.125,NaN,,0.1"));
        assert_eq!(csv.lines().count(), 4);
    }
}
