//! Weights on disk while training goes on.

use std::path::{Path, PathBuf};

use super::callback::{Callback, Flow, NetworkAccess, Plan};
use super::history::EpochRecord;
use super::monitor::Monitor;
use super::state::State;
use crate::error::{Error, Result};

/// Writes the network's weights to a safetensors file after an epoch. The file is replaced as a whole:
/// a crash leaves the old one or the new one.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::train::Checkpoint;
/// let best = Checkpoint::best("digits.safetensors");
/// let tenth = Checkpoint::every(10, "digits-{epoch}.safetensors");
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    when: When,
    monitor: Monitor,
}

#[derive(Clone, Debug)]
enum When {
    /// The loss, or another number of which the smaller one is better.
    Best {
        loss: Option<f64>,
    },
    Every {
        epochs: usize,
    },
}

impl Checkpoint {
    /// After each epoch that has a smaller validation loss than all before it (training loss without
    /// validation), or is better than them in what [`Checkpoint::monitor`] names.
    pub fn best(path: impl Into<PathBuf>) -> Self {
        let when = When::Best { loss: None };
        Checkpoint { path: path.into(), when, monitor: Monitor::default() }
    }

    /// Makes the best epoch that of the accuracy (`"accuracy"`) or of a metric by its name
    /// ([`Trainer::metric`](super::Trainer::metric)), which says itself whether larger is better.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::train::Checkpoint;
    /// let best = Checkpoint::best("digits.safetensors").monitor("accuracy");
    /// ```
    pub fn monitor(mut self, figure: impl Into<String>) -> Self {
        self.monitor = Monitor(Some(figure.into()));
        self
    }

    /// After every `epochs` epochs. `{epoch}` in the path becomes the epoch's number, so that each has
    /// a file of its own.
    pub fn every(epochs: usize, path: impl Into<PathBuf>) -> Self {
        let when = When::Every { epochs: epochs.max(1) };
        Checkpoint { path: path.into(), when, monitor: Monitor::default() }
    }
}

impl Callback for Checkpoint {
    /// A missing folder is found before hours of training, not after.
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        self.monitor.check("checkpoint", plan)?;
        let path = numbered(&self.path, plan.first_epoch);
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                Err(Error::Invalid(format!(
                    "checkpoint {}: there is no folder {}; create it before training",
                    path.display(),
                    folder.display()
                )))
            }
            _ => Ok(()),
        }
    }

    fn on_epoch_end(&mut self, epoch: &EpochRecord, net: &mut dyn NetworkAccess) -> Result<Flow> {
        match &mut self.when {
            When::Best { loss } => {
                let found = self.monitor.cost("checkpoint", epoch)?;
                if loss.map_or(!found.is_nan(), |best| found < best) {
                    net.save(&self.path)?;
                    *loss = Some(found);
                }
            }
            When::Every { epochs } => {
                if epoch.epoch.is_multiple_of(*epochs) {
                    net.save(&numbered(&self.path, epoch.epoch))?;
                }
            }
        }
        Ok(Flow::Continue)
    }

    fn state(&self) -> Option<State> {
        let When::Best { loss } = self.when else { return None };
        let state = State::new(self.monitor.named("Checkpoint"));
        Some(loss.map_or(state.clone(), |loss| state.set("loss", loss)))
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let loss = if state.has("loss") { Some(state.get("loss")?) } else { None };
        self.when = When::Best { loss };
        Ok(())
    }

    fn best_weights(&self) -> Option<&Path> {
        matches!(self.when, When::Best { loss: Some(_) }).then_some(&*self.path)
    }

    fn keeps_weights(&self) -> bool {
        true
    }
}

/// The path with the epoch's number for `{epoch}`. A path that is not text has no such place.
fn numbered(path: &Path, epoch: usize) -> PathBuf {
    match path.to_str() {
        Some(text) => text.replace("{epoch}", &epoch.to_string()).into(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_a_file_of_its_own() {
        assert_eq!(numbered(Path::new("a-{epoch}.st"), 12), Path::new("a-12.st"));
        assert_eq!(numbered(Path::new("a.st"), 12), Path::new("a.st"));
    }
}
