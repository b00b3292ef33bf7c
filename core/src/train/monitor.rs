//! What callbacks watch for improvement: the loss, the accuracy or a metric.

use super::callback::Plan;
use super::history::EpochRecord;
use crate::error::{Error, Result};
use crate::metric::Goal;

/// A figure by name; the loss where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Monitor(pub Option<String>);

impl Monitor {
    /// The name of a callback in a saved training. It has what is monitored in it: the best value so far is of that, and
    /// callbacks of other names are refused.
    pub fn named(&self, callback: &str) -> String {
        match self.0.as_deref() {
            None | Some("loss") => callback.to_owned(),
            Some(figure) => format!("{callback} of `{figure}`"),
        }
    }

    /// That a training has a figure of this name.
    pub fn check(&self, callback: &str, plan: &Plan) -> Result<()> {
        let Some(name) = &self.0 else { return Ok(()) };
        let known = ["loss", "accuracy"].into_iter().chain(plan.metrics.iter().map(String::as_str));
        if known.clone().any(|known| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = known.collect();
        Err(Error::Invalid(format!(
            "{callback} monitors `{name}`, and this training has {}; add it with `.metric(\"{name}\", ..)`",
            known.join(", ")
        )))
    }

    /// The figure of an epoch as a number of which the smaller one is better; not a number where the metric has no value.
    pub fn cost(&self, callback: &str, epoch: &EpochRecord) -> Result<f64> {
        let Some(name) = &self.0 else { return Ok(epoch.monitored()) };
        match epoch.figure(name) {
            Some((Some(value), Goal::Smaller)) => Ok(value),
            Some((Some(value), Goal::Larger)) => Ok(-value),
            Some((None, _)) if name != "accuracy" => Ok(f64::NAN),
            _ => Err(Error::Invalid(format!(
                "{callback} monitors `{name}`, which there is only for losses with classes; add a metric such as `.metric(\"right\", Accuracy::new(10))`"
            ))),
        }
    }
}
