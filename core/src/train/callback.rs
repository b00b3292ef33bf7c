//! What may happen between batches and epochs: the [`Callback`] trait, and what callbacks are told.

use std::path::Path;

use super::history::{EpochRecord, History};
use super::state::State;
use crate::device::Memory;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::module::Module;
use crate::weights::Weights;

/// Whether training goes on after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next epoch.
    Continue,
    /// It ends here.
    Stop,
}

/// What a call of `fit` is about to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The network's name.
    pub network: &'static str,
    /// The number of the first epoch; more than 1 where training is continued.
    pub first_epoch: usize,
    /// The number of the last epoch, if nothing stops training before.
    pub last_epoch: usize,
    /// Training samples.
    pub samples: usize,
    /// Samples of a batch; the last one of an epoch may have fewer.
    pub batch: usize,
    /// The names of the metrics: [`Trainer::metric`](super::Trainer::metric).
    pub metrics: Vec<String>,
}

impl Plan {
    /// Batches of an epoch.
    pub fn batches(&self) -> usize {
        self.samples.div_ceil(self.batch.max(1))
    }
}

/// How far an epoch has come after a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The batch in the epoch, from 1.
    pub batch: usize,
    /// Samples of the epoch so far.
    pub samples: usize,
    /// The loss of this batch.
    pub loss: f64,
    /// The mean loss of the epoch so far.
    pub mean_loss: f64,
    /// The part of the epoch's samples so far that were classified correctly.
    pub accuracy: Option<f64>,
    /// The learning rate of this batch.
    pub rate: f64,
    /// The norm of the update's gradients before clipping, where it is taken and the batch makes an update:
    /// [`Rules::gradient_norms`](crate::update::Rules::gradient_norms), and clipping by norm.
    pub gradient_norm: Option<f64>,
}

/// Something that watches training, and may keep weights, change them or stop it.
///
/// Every method has a default that does nothing. Once [`Callback::on_train_begin`] has been called, so
/// is [`Callback::on_train_end`], also where training fails.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::error::Result;
/// use netform::train::{Callback, EpochRecord, Flow, NetworkAccess};
///
/// /// Stops when training is good enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(&mut self, epoch: &EpochRecord, _: &mut dyn NetworkAccess) -> Result<Flow> {
///         Ok(if epoch.monitored() < self.0 { Flow::Stop } else { Flow::Continue })
///     }
/// }
/// ```
pub trait Callback {
    /// Before the first epoch.
    ///
    /// # Errors
    /// An error ends training; `fit` returns it.
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        let _ = plan;
        Ok(())
    }

    /// After each batch.
    ///
    /// # Errors
    /// An error ends training; `fit` returns it.
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        let _ = batch;
        Ok(())
    }

    /// After each epoch and its validation.
    ///
    /// # Errors
    /// An error ends training; `fit` returns it.
    fn on_epoch_end(&mut self, epoch: &EpochRecord, net: &mut dyn NetworkAccess) -> Result<Flow> {
        let _ = (epoch, net);
        Ok(Flow::Continue)
    }

    /// At the end, also after an error, which is the history's [`failure`](History::failure) then.
    ///
    /// # Errors
    /// `fit` returns the error, unless there is one already.
    fn on_train_end(&mut self, history: &History, net: &mut dyn NetworkAccess) -> Result<()> {
        let _ = (history, net);
        Ok(())
    }

    /// What the callback needs to go on in a training that is resumed; nothing where it keeps nothing.
    fn state(&self) -> Option<State> {
        None
    }

    /// Goes on from an earlier [`Callback::state`]; after [`Callback::on_train_begin`].
    ///
    /// # Errors
    /// If the state is not one of this callback's: `fit` returns the error.
    fn restore(&mut self, state: &State) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// The file in which the callback has put the best weights so far, if it has: for the message of
    /// a failed training.
    fn best_weights(&self) -> Option<&Path> {
        None
    }

    /// The epoch whose weights the callback gives the network at the end of training ([`Callback::on_train_end`]), where it
    /// does: [`History::weights_of`] says so then.
    fn gives_weights_of(&self) -> Option<usize> {
        None
    }

    /// Whether the callback keeps the network's weights after epochs, in a file or in memory. They are looked at before
    /// it is told of the epoch then, and training ends where an update has left numbers that are infinite or none.
    fn keeps_weights(&self) -> bool {
        false
    }
}

/// A callback that is lent, to be looked at after training.
impl<C: Callback + ?Sized> Callback for &mut C {
    fn on_train_begin(&mut self, plan: &Plan) -> Result<()> {
        (**self).on_train_begin(plan)
    }
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        (**self).on_batch_end(batch)
    }
    fn on_epoch_end(&mut self, epoch: &EpochRecord, net: &mut dyn NetworkAccess) -> Result<Flow> {
        (**self).on_epoch_end(epoch, net)
    }
    fn on_train_end(&mut self, history: &History, net: &mut dyn NetworkAccess) -> Result<()> {
        (**self).on_train_end(history, net)
    }
    fn state(&self) -> Option<State> {
        (**self).state()
    }
    fn restore(&mut self, state: &State) -> Result<()> {
        (**self).restore(state)
    }
    fn best_weights(&self) -> Option<&Path> {
        (**self).best_weights()
    }
    fn gives_weights_of(&self) -> Option<usize> {
        (**self).gives_weights_of()
    }
    fn keeps_weights(&self) -> bool {
        (**self).keeps_weights()
    }
}

/// A network as callbacks see it: of any type, between two steps.
pub trait NetworkAccess {
    /// The network's name.
    fn name(&self) -> &'static str;
    /// The names of the parameters.
    fn parameter_names(&self) -> Vec<&'static str>;
    /// The values of a parameter.
    ///
    /// # Errors
    /// If there is no such parameter, or the device is lost.
    fn parameter(&self, name: &str) -> Result<Vec<f64>>;
    /// Writes the weights to a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, or the device is lost.
    fn save(&self, path: &Path) -> Result<()>;
    /// Reads the weights from a safetensors file.
    ///
    /// # Errors
    /// If the file cannot be read or its tensors do not fit; the network keeps its old values then.
    fn load(&mut self, path: &Path) -> Result<()>;
    /// A copy of the weights in memory.
    ///
    /// # Errors
    /// If the device is lost.
    fn snapshot(&self) -> Result<Snapshot>;
    /// Puts back the weights of a [`Snapshot`].
    ///
    /// # Errors
    /// If it is another network's, or the device is lost.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<()>;
}

/// A copy of a network's weights and running statistics, bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    network: &'static str,
    bytes: Vec<u8>,
}

impl Snapshot {
    /// Of a network's name, from bytes that were a snapshot's; they are checked where they are put back.
    pub(super) fn of_bytes(network: &'static str, bytes: Vec<u8>) -> Self {
        Snapshot { network, bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A network on loan to callbacks.
pub(super) struct Lent<'n, N>(pub &'n mut N);

impl<N: Module> NetworkAccess for Lent<'_, N> {
    fn name(&self) -> &'static str {
        N::NAME
    }

    fn parameter_names(&self) -> Vec<&'static str> {
        N::PARAMS.iter().map(|spec| spec.name).collect()
    }

    fn parameter(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.0.parameter(name)?.into_iter().map(Float::to_f64).collect())
    }

    fn save(&self, path: &Path) -> Result<()> {
        self.0.save(path)
    }

    fn load(&mut self, path: &Path) -> Result<()> {
        self.0.load(path)
    }

    fn snapshot(&self) -> Result<Snapshot> {
        let store = self.0.store();
        let mut values = vec![N::Elem::ZERO; N::PARAM_LEN + N::STATE_LEN];
        let (params, state) = values.split_at_mut(N::PARAM_LEN);
        store.device.read(&store.params, 0, params)?;
        store.device.read(&store.state, 0, state)?;
        let mut bytes = Vec::with_capacity(values.len() * size_of::<N::Elem>());
        values.into_iter().for_each(|x| x.extend_le_bytes(&mut bytes));
        Ok(Snapshot { network: N::NAME, bytes })
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let size = size_of::<N::Elem>();
        let expected = (N::PARAM_LEN + N::STATE_LEN) * size;
        if snapshot.bytes.len() != expected || snapshot.network != N::NAME {
            return Err(Error::Size {
                what: format!("restoring the weights of network `{}`", N::NAME),
                expected: format!("a snapshot of it, {expected} bytes"),
                found: format!("one of `{}`, {} bytes", snapshot.network, snapshot.bytes.len()),
            });
        }
        let values: Vec<N::Elem> =
            snapshot.bytes.chunks_exact(size).map(N::Elem::from_le_bytes).collect();
        let (params, state) = values.split_at(N::PARAM_LEN);
        let store = self.0.store_mut();
        store.device.write(&mut store.params, 0, params)?;
        store.device.write(&mut store.state, 0, state)
    }
}
