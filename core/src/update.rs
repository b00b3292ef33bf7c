//! Updates of parameters: the rules that surround an optimiser's formula, and updates by gradients that were made by
//! hand.

mod parts;
mod pass;
mod rules;

use crate::device::Memory;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::optim::Optimizer;
use crate::pullback::Gradients;
use crate::step::{Buffer, OptimizerState};

pub(crate) use pass::{COUNT as SCALARS, Pass, Updates};
pub use rules::Rules;
pub(crate) use rules::ruled;

/// An optimiser with what it keeps between updates of one network.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::dim::{Batch, D};
/// use netform::module::Module;
/// use netform::optim::Sgd;
/// use netform::random::Seed;
/// use netform::tensor::Tensor;
/// use netform::update::Updater;
/// use netform::weights::Weights;
///
/// let mut net = Net::new(Seed(1));
/// net.set_parameter("fc1.weight", &[1.0, 1.0])?;
/// let x = Tensor::<(Batch, D<2>)>::from_vec(vec![3.0, 4.0])?;
/// let dy = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0])?;
/// let gradients = net.vjp(&x, &dy)?;
/// let mut updater = Updater::new(Sgd::new(0.5));
/// updater.apply(&gradients, &mut net)?;
/// assert_eq!(net.parameter("fc1.weight")?, [-0.5, -1.0]);
/// # Ok(())
/// # }
/// ```
pub struct Updater<M: Module, O> {
    updates: Updates<O, Buffer<M>>,
    /// The gradients, where the rules change them.
    own: Option<Buffer<M>>,
    host: Vec<M::Elem>,
    /// The number of the network that it has updated.
    net: Option<u64>,
}

impl<M: Module, O: Optimizer> Updater<M, O> {
    /// An optimiser that has made no update yet.
    pub fn new(optimizer: O) -> Self {
        let updates = Updates::new(optimizer, Rules::new(), OptimizerState::default());
        Updater { updates, own: None, host: Vec::new(), net: None }
    }

    /// Changes the parameters of `net` by the gradients. Where the gradients come from a pass in training
    /// mode, its running statistics become the network's.
    ///
    /// # Errors
    /// If a setting of the optimiser makes no sense, it was exchanged for one that keeps another number of
    /// values, `net` is another network than before, or the device has not enough memory or is lost.
    pub fn apply(&mut self, gradients: &Gradients<M>, net: &mut M) -> Result<()> {
        self.updates.optimizer.check()?;
        let id = net.store().id;
        if self.net.is_some_and(|known| known != id) {
            return Err(Error::Invalid(format!(
                "this Updater keeps averages of the gradients of another network `{}`: make an Updater for each network",
                M::NAME
            )));
        }
        self.net = Some(id);
        let device = net.store().device.clone();
        self.updates.prepare::<M>(&device)?;
        let own = match self.updates.changes_gradients() {
            true if self.own.is_none() => Some(self.own.insert(device.zeros(M::PARAM_LEN)?)),
            true => self.own.as_mut(),
            false => None,
        };
        let still = self.updates.parts().map_or(&[][..], |parts| &parts.still);
        gradients.put_state(net, still, &mut self.host)?;
        pass::update(net, &mut self.updates, gradients.buffer(), own)
    }

    /// The optimiser, to change its learning rate between updates.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.updates.optimizer
    }

    /// The learning rate of the next update, but for factors of single parameters.
    pub fn rate(&self) -> f64 {
        self.updates.rate()
    }

    crate::update::ruled! { |updater| updater.updates.rules_mut() }

    /// Exchanges the parameters of `net`, which this has updated, with their moving average:
    /// [`TrainStep::exchange_average`](crate::step::TrainStep::exchange_average).
    pub fn exchange_average(&mut self, net: &mut M) {
        if self.net == Some(net.store().id) {
            self.updates.exchange_average::<M>(net);
        }
    }

    /// How many updates there have been.
    pub fn steps(&self) -> u64 {
        self.updates.state.steps
    }
}
