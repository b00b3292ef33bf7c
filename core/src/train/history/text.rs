//! The history for people and tables: columns, aligned or between commas.

use std::fmt;

use super::columns::Course;
use super::{EpochRecord, History, WeightNorm, steps};
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

/// A figure with so many decimals; empty where there is none.
fn decimals(figure: Option<f64>, n: usize) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.n$}"))
}

/// A part as a percentage; empty where there is none.
pub(in crate::train) fn percent(part: Option<f64>) -> String {
    part.map_or_else(String::new, |part| format!("{:.2}%", 100.0 * part))
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let cell = |column: &Course<'_>, row: usize| match column.name {
            "accuracy" => percent(column.values[row]),
            "loss" => decimals(column.values[row], 6),
            _ => decimals(column.values[row], 4),
        };
        let row = |(i, epoch): (usize, &EpochRecord)| {
            let best = if Some(epoch.epoch) == self.best_epoch { " *" } else { "  " };
            let mut cells = vec![format!("{}{best}", epoch.epoch)];
            cells.extend(columns.iter().map(|column| cell(column, i)));
            cells.extend([format!("{:.2}", epoch.seconds), epoch.rate.to_string()]);
            cells
        };
        let rows: Vec<Vec<String>> = self.epochs.iter().enumerate().map(row).collect();
        let named = |column: &Course<'_>| match column.validation {
            true => format!("validation {}", column.name),
            false => format!("train {}", column.name),
        };
        let names: Vec<String> = columns.iter().map(named).collect();
        let mut heading = vec!["epoch  "];
        heading.extend(names.iter().map(String::as_str));
        heading.extend(["seconds", "rate"]);
        table(f, &heading, &rows, 0)?;
        if let Some(best) = self.best_and_kept() {
            let end = if self.stopped_early { "; training was stopped early" } else { "" };
            writeln!(f, "* {best}{end}")?;
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
epoch     train loss   train accuracy   train f1   validation loss   validation f1   seconds    rate
    1       1.000000           50.00%        NaN          0.500000          1.0000      2.00   0.125
    2 *     0.500000           50.00%        NaN          0.250000          0.5000      2.00   0.125
    3       0.333333           50.00%        NaN          0.750000                      2.00   0.125
* the best epoch is 2; the network has the weights of epoch 3, the last; training was stopped early
";
        assert_eq!(history.to_string(), expected);
        // What no epoch has is no column.
        for epoch in &mut history.epochs {
            epoch.metrics.clear();
            epoch.train_accuracy = None;
        }
        history.weights_of = Some(2);
        let expected = "\
epoch     train loss   validation loss   seconds    rate
    1       1.000000          0.500000      2.00   0.125
    2 *     0.500000          0.250000      2.00   0.125
    3       0.333333          0.750000      2.00   0.125
* the best epoch is 2, and the network has its weights; training was stopped early
";
        assert_eq!(history.to_string(), expected);
    }

    #[test]
    fn whose_weights_the_network_has_is_said_as_far_as_it_is_known() {
        let mut history = history();
        history.stopped_early = false;
        let mut said = |weights_of| {
            history.weights_of = weights_of;
            history.to_string().lines().last().unwrap().to_owned()
        };
        assert_eq!(said(None), "* the best epoch is 2");
        assert_eq!(said(Some(1)), "* the best epoch is 2; the network has the weights of epoch 1");
    }

    #[test]
    fn epochs_of_several_trainings_have_the_metrics_of_the_last() {
        let mut history = history();
        history.epochs[0].metrics.clear();
        let mut other = history.epochs[1].metrics[0].clone();
        other.name = "other".to_owned();
        history.epochs[1].metrics.insert(0, other);
        let expected = "\
epoch     train loss   train accuracy   train f1   validation loss   validation f1   seconds    rate
    1       1.000000           50.00%                     0.500000                      2.00   0.125
    2 *     0.500000           50.00%        NaN          0.250000          0.5000      2.00   0.125
    3       0.333333           50.00%        NaN          0.750000                      2.00   0.125
* the best epoch is 2; the network has the weights of epoch 3, the last; training was stopped early
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
