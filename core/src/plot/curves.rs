//! A figure of a training, epoch by epoch.

use super::Plot;
use super::axis::ends;
use crate::error::{Error, Result};
use crate::train::{EpochRecord, History};

/// How many times the least loss the largest is, from which on losses are drawn by their logarithms.
const WIDE: f64 = 30.0;

/// A figure of each epoch of a training, `loss`, `accuracy` or a metric by its name: over the training samples and, where
/// there is validation, over the validation samples, with the best epoch marked. Losses that differ by much are placed by
/// their logarithms.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
/// use netform::plot;
/// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
/// # let path = std::env::temp_dir().join(format!("netform-doc-curves-{}.svg", std::process::id()));
///
/// let mut trainer = Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(10).validate(&data);
/// let history = trainer.fit(&mut Net::new(Seed(1)), &data)?;
/// plot::curves(&history, "loss")?.save(&path)?;
/// # std::fs::remove_file(path).ok();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there are epochs, and none has a figure of this name: the message lists those that there are.
pub fn curves(history: &History, figure: &str) -> Result<super::Svg> {
    curves_plot(history, figure)?.svg()
}

/// [`curves`], to be added to.
pub(crate) fn curves_plot(history: &History, figure: &str) -> Result<Plot<'static>> {
    let [train, validation] = [train_figure, validation_figure].map(|value| {
        let valued = history.epochs.iter();
        let valued = valued.filter_map(|epoch| Some((epoch.epoch as f64, value(epoch, figure)?)));
        valued.collect::<Vec<_>>()
    });
    if train.is_empty() && validation.is_empty() && !history.epochs.is_empty() {
        let names = figures(history).join("`, `");
        return Err(Error::Invalid(format!(
            "the history has no figure `{figure}`: it has `{names}`"
        )));
    }
    let values = train.iter().chain(&validation).map(|(_, y)| *y);
    let is_wide = ends(values).is_some_and(|(low, high)| low > 0.0 && high > WIDE * low);
    let log = figure == "loss" && is_wide;
    let unit = if log { ", by its logarithm" } else { "" };
    let mut plot =
        Plot::new(capitalised(figure)).axes("epoch", format!("{figure}{unit}")).counting_x();
    if log {
        plot = plot.log_y();
    }
    plot = plot.line("training", train);
    if !validation.is_empty() {
        plot = plot.line("validation", validation);
    }
    let best = history.best_by(figure);
    let is_finite = |epoch: &&EpochRecord| {
        epoch.figure(figure).and_then(|(value, _)| value).is_some_and(f64::is_finite)
    };
    if let Some(best) = best.filter(is_finite) {
        plot = plot.mark(best.epoch as f64, format!("best by {figure}: epoch {}", best.epoch));
    }
    Ok(plot)
}

/// The names of the figures that an epoch has.
pub(crate) fn figures(history: &History) -> Vec<String> {
    let mut names = vec!["loss".to_owned()];
    let has_accuracy =
        |epoch: &EpochRecord| epoch.train_accuracy.or(epoch.validation_accuracy).is_some();
    if history.epochs.iter().any(has_accuracy) {
        names.push("accuracy".to_owned());
    }
    for metric in history.epochs.iter().flat_map(|epoch| &epoch.metrics) {
        if metric.train.or(metric.validation).is_some() && !names.contains(&metric.name) {
            names.push(metric.name.clone());
        }
    }
    names
}

fn train_figure(epoch: &EpochRecord, figure: &str) -> Option<f64> {
    match figure {
        "loss" => Some(epoch.train_loss),
        "accuracy" => epoch.train_accuracy,
        _ => epoch.metric(figure)?.train,
    }
}

fn validation_figure(epoch: &EpochRecord, figure: &str) -> Option<f64> {
    match figure {
        "loss" => epoch.validation_loss,
        "accuracy" => epoch.validation_accuracy,
        _ => epoch.metric(figure)?.validation,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
