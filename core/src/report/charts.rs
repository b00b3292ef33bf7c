//! The curves of a report.

use crate::error::Result;
use crate::plot::{Plot, Svg, curves_plot, ends, figures};
use crate::train::{History, StepRecord};

/// Up to how many epochs the loss of each step says more than theirs.
const FEW: usize = 3;
/// How many times the least value the largest is, from which on steps are placed by their logarithms.
const WIDE: f64 = 100.0;
/// How many parameters have their norms shown.
const PARAMETERS: usize = 8;

/// A curve of each figure that the history has.
pub(super) fn charts(history: &History) -> Result<Vec<Svg>> {
    let mut charts = Vec::new();
    if !history.epochs.is_empty() {
        for figure in figures(history) {
            charts.push(curves_plot(history, &figure)?.svg()?);
        }
    }
    if history.epochs.len() <= FEW && history.steps.len() > 1 {
        charts.push(of_steps(history, "Loss of each step", "loss", |step| Some(step.loss)).svg()?);
    }
    charts.extend(rate(history).map(|plot| plot.svg()).transpose()?);
    if history.steps.iter().any(|step| step.gradient_norm.is_some()) {
        let plot = of_steps(history, "Norm of the gradients", "norm", |step| step.gradient_norm);
        charts.push(plot.svg()?);
    }
    charts.extend(weight_norms(history).map(|plot| plot.svg()).transpose()?);
    Ok(charts)
}

/// A number of each step that has it.
fn of_steps(
    history: &History,
    title: &str,
    name: &str,
    value: impl Fn(&StepRecord) -> Option<f64>,
) -> Plot<'static> {
    let numbered = (1..).zip(&history.steps);
    let line: Vec<(f64, f64)> =
        numbered.filter_map(|(i, step)| Some((f64::from(i), value(step)?))).collect();
    let ends = ends(line.iter().map(|(_, y)| *y));
    let is_wide = ends.is_some_and(|(low, high)| low > 0.0 && high > WIDE * low);
    let plot = Plot::new(title).axes("step", name).counting_x().line(name, line);
    if is_wide { plot.log_y() } else { plot }
}

/// The learning rate, where it was the same all the time.
pub(super) fn constant_rate(history: &History) -> Option<f64> {
    let rate = history.last()?.rate;
    let steps = history.steps.iter().map(|step| step.rate);
    let mut rates = history.epochs.iter().map(|epoch| epoch.rate).chain(steps);
    rates.all(|it| it == rate).then_some(rate)
}

/// The learning rate, step by step where steps are known; nothing where it was the same all the time.
fn rate(history: &History) -> Option<Plot<'static>> {
    if constant_rate(history).is_some() {
        return None;
    }
    let title = "Learning rate";
    if history.steps.len() > 1 {
        return Some(of_steps(history, title, "rate", |step| Some(step.rate)));
    }
    let rates = history.epochs.iter().map(|epoch| (epoch.epoch as f64, epoch.rate));
    let plot = Plot::new(title).axes("epoch", "rate").counting_x().line("rate", rates);
    (!history.epochs.is_empty()).then_some(plot)
}

/// The norms of the parameters, of many those that are the largest at the end.
fn weight_norms(history: &History) -> Option<Plot<'static>> {
    let mut last = history.last()?.weight_norms.clone();
    if last.is_empty() {
        return None;
    }
    last.sort_by(|a, b| b.norm.total_cmp(&a.norm));
    let title = match last.len() > PARAMETERS {
        true => format!("Norms of the weights, the {PARAMETERS} largest"),
        false => "Norms of the weights".to_owned(),
    };
    let mut plot = Plot::new(title).axes("epoch", "norm").counting_x();
    for name in last.into_iter().take(PARAMETERS).map(|it| it.name) {
        let epochs = history.epochs.iter();
        let norms = epochs.filter_map(|epoch| {
            let found = epoch.weight_norms.iter().find(|it| it.name == name)?;
            Some((epoch.epoch as f64, found.norm))
        });
        plot = plot.line(name.clone(), norms.collect::<Vec<_>>());
    }
    Some(plot)
}
