//! Stopping when training no longer gets better.

use super::callback::{Callback, Flow, NetworkAccess, Plan, Snapshot};
use super::history::{EpochRecord, History};
use super::monitor::Monitor;
use super::state::State;
use crate::error::Result;

/// Stops training when it has not improved for some epochs, and gives the network the weights of the best epoch at the
/// end.
///
/// It watches the validation loss, or what [`EarlyStopping::monitor`] names; over the training samples where there is no
/// validation. The best weights come
/// back also where training fails because the loss is no longer a number.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::train::EarlyStopping;
/// let stopping = EarlyStopping::patience(3).min_delta(1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
    monitor: Monitor,
    waited: usize,
    best: Option<Best>,
}

#[derive(Clone, Debug)]
struct Best {
    /// The loss, or another number of which the smaller one is better.
    loss: f64,
    epoch: usize,
    weights: Snapshot,
}

impl EarlyStopping {
    /// Stops after so many epochs without improvement.
    pub fn patience(epochs: usize) -> Self {
        let monitor = Monitor::default();
        EarlyStopping { patience: epochs, min_delta: 0.0, monitor, waited: 0, best: None }
    }

    /// Watches the accuracy (`"accuracy"`) or a metric by its name ([`Trainer::metric`](super::Trainer::metric)), which
    /// says itself whether larger is better. An epoch in which it has no value does not count as improved.
    pub fn monitor(mut self, figure: impl Into<String>) -> Self {
        self.monitor = Monitor(Some(figure.into()));
        self
    }

    /// By how much the loss must fall, or what is watched must get better, to count as improved; any amount unless set.
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    /// The best epoch so far.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best.as_ref().map(|best| best.epoch)
    }
}

impl Callback for EarlyStopping {
    /// Each call of `fit` has a best epoch of its own: it may be about other data.
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        self.monitor.check("early stopping", plan)?;
        self.waited = 0;
        self.best = None;
        Ok(())
    }

    fn on_epoch_end(&mut self, epoch: &EpochRecord, net: &mut dyn NetworkAccess) -> Result<Flow> {
        let loss = self.monitor.cost("early stopping", epoch)?;
        let enough = |best: &Best| loss < best.loss - self.min_delta;
        if self.best.as_ref().map_or(!loss.is_nan(), enough) {
            self.best = Some(Best { loss, epoch: epoch.epoch, weights: net.snapshot()? });
            self.waited = 0;
            return Ok(Flow::Continue);
        }
        // A file that was changed may have said any number.
        self.waited = self.waited.saturating_add(1);
        Ok(if self.waited >= self.patience { Flow::Stop } else { Flow::Continue })
    }

    fn state(&self) -> Option<State> {
        let state = State::new(self.monitor.named("EarlyStopping")).set("waited", self.waited);
        Some(match &self.best {
            Some(Best { loss, epoch, weights }) => {
                state.set("loss", loss).set("epoch", epoch).with_weights(weights.clone())
            }
            None => state,
        })
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.waited = state.get("waited")?;
        self.best = match state.weights() {
            Some(weights) => {
                let (loss, epoch) = (state.get("loss")?, state.get("epoch")?);
                Some(Best { loss, epoch, weights: weights.clone() })
            }
            None => None,
        };
        Ok(())
    }

    fn gives_weights_of(&self) -> Option<usize> {
        self.best_epoch()
    }

    fn keeps_weights(&self) -> bool {
        true
    }

    fn on_train_end(&mut self, _: &History, net: &mut dyn NetworkAccess) -> Result<()> {
        match &self.best {
            Some(best) => net.restore(&best.weights),
            None => Ok(()),
        }
    }
}
