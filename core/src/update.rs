//! Updates of parameters by gradients that were made by hand.

use crate::device::Memory;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::optim::Optimizer;
use crate::pullback::Gradients;
use crate::step::{Buffer, OptimizerState, check_slots, update};

/// An optimiser with what it keeps between updates of one network.
///
/// ```
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
/// # fn main() -> netform_core::error::Result<()> {
/// use netform_core::dim::{Batch, D};
/// use netform_core::module::Module;
/// use netform_core::optim::Sgd;
/// use netform_core::random::Seed;
/// use netform_core::tensor::Tensor;
/// use netform_core::update::Updater;
/// use netform_core::weights::Weights;
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
    optimizer: O,
    state: OptimizerState<Buffer<M>>,
    host: Vec<M::Elem>,
    /// The number of the network that it has updated.
    net: Option<u64>,
}

impl<M: Module, O: Optimizer> Updater<M, O> {
    /// An optimiser that has made no update yet.
    pub fn new(optimizer: O) -> Self {
        Updater { optimizer, state: OptimizerState::default(), host: Vec::new(), net: None }
    }

    /// Changes the parameters of `net` by the gradients. Where the gradients come from a pass in training
    /// mode, its running statistics become the network's.
    ///
    /// # Errors
    /// If a setting of the optimiser makes no sense, it was exchanged for one that keeps another number of
    /// values, `net` is another network than before, or the device has not enough memory or is lost.
    pub fn apply(&mut self, gradients: &Gradients<M>, net: &mut M) -> Result<()> {
        self.optimizer.check()?;
        let id = net.store().id;
        if self.net.is_some_and(|known| known != id) {
            return Err(Error::Invalid(format!(
                "this Updater keeps averages of the gradients of another network `{}`: make an Updater for each network",
                M::NAME
            )));
        }
        self.net = Some(id);
        let device = net.store().device.clone();
        if self.state.slots.is_none() {
            self.state.slots = Some(device.zeros(self.optimizer.slots() * M::PARAM_LEN)?);
        }
        check_slots::<M, O>(&device, &self.optimizer, &self.state)?;
        gradients.put_state(net, &mut self.host)?;
        update::<M, O>(net.store_mut(), gradients.buffer(), &self.optimizer, &mut self.state)
    }

    /// The optimiser, to change its learning rate between updates.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// How many updates there have been.
    pub fn steps(&self) -> u64 {
        self.state.steps
    }
}
