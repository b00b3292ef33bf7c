//! Networks of one input and one output, and what all networks consist of: parameters and layers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::device::{Bindings, Device, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::inference::Predictor;
use crate::init::Init;
use crate::loss::Loss;
use crate::module::{MAX_SETTINGS, Module, PortAxis};
use crate::optim::Optimizer;
use crate::pullback::Gradients;
use crate::random::Seed;
use crate::shape::{BatchedShape, SameSample, SampleShape};
use crate::step::TrainStep;
use crate::tensor::Tensor;

/// One parameter of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// The name in files: `fc1.weight`.
    pub name: &'static str,
    /// The sizes, in PyTorch's layout.
    pub shape: &'static [usize],
    /// Where its elements begin in the parameter buffer.
    pub offset: usize,
    /// What it holds at first.
    pub init: Init,
}

impl ParamSpec {
    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }
}

/// One layer of a network, for its summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// The name; empty for an unnamed layer without parameters.
    pub name: &'static str,
    /// The layer as declared: `Linear(120)`.
    pub text: &'static str,
    /// The shape of its output for one sample.
    pub output: &'static [PortAxis],
    /// The number of its parameters.
    pub params: usize,
}

/// The parameters and the state of a network, on its device.
pub struct Store<E: Float, D: Device<E>> {
    /// The device.
    pub device: D,
    /// All parameters, one after another.
    pub params: D::Buffer<E>,
    /// What no gradient reaches and steps change: running statistics.
    pub state: D::Buffer<E>,
    /// The seed of initialisation and of random layers.
    pub seed: Seed,
    /// How many training steps the parameters have seen.
    pub steps: u64,
    /// The run-time settings.
    pub settings: [f64; MAX_SETTINGS],
    /// Which network of this program it is: no two have the same number.
    pub(crate) id: u64,
}

/// How many networks this program has made.
static NETWORKS: AtomicU64 = AtomicU64::new(0);

/// A network of one input and one output whose sizes are all constant: what training by the trainer, losses and
/// data sets know how to use. [`Module`] is what every network is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has not one input and one output of constant sizes",
    note = "the trainer, losses and predictors use networks of one input and one output; `Module` has passes for all others: `workspace`, `vjp`, `loss_step`"
)]
pub trait Network: Module {
    /// The shape of one input sample.
    type Input: SampleShape;
    /// What inputs consist of: [`Module::Elem`], or `u32`.
    type InputElement: InputElement<Self::Elem>;
    /// The shape of one output sample.
    type Output: SampleShape;

    /// A training step with its own workspace, for batches of up to `batch` samples: forward, loss,
    /// backward and update in one call of [`TrainStep::run`].
    ///
    /// # Errors
    /// If the device has not enough memory, or `batch` is 0.
    fn train_step<L, O, Y, T>(
        &mut self,
        loss: L,
        optimizer: O,
        batch: usize,
    ) -> Result<TrainStep<'_, Self, L, O, Y, T>>
    where
        L: Loss<Self::Elem, Self::Output, Y, T>,
        O: Optimizer,
        Y: SampleShape,
        T: crate::element::Element,
    {
        TrainStep::new(self, loss, optimizer, batch)
    }

    /// Inference with its own workspace, for batches of up to `batch` samples.
    ///
    /// # Errors
    /// If the device has not enough memory, or `batch` is 0.
    fn predictor(&self, batch: usize) -> Result<Predictor<'_, Self>> {
        Predictor::new(self, batch)
    }

    /// The loss of a batch in training mode, and the gradients of all parameters.
    ///
    /// # Errors
    /// If the device has not enough memory, the batches differ, or a label is out of range.
    fn value_and_gradients<L, S, R, T>(
        &self,
        loss: &L,
        inputs: &Tensor<S, Self::InputElement, Self::Device>,
        targets: &Tensor<R, T, Self::Device>,
    ) -> Result<(Self::Elem, Gradients<Self>)>
    where
        L: Loss<Self::Elem, Self::Output, R::Sample, T>,
        S: BatchedShape,
        S::Sample: SameSample<Self::Input>,
        R: BatchedShape,
        T: crate::element::Element,
    {
        crate::step::value_and_gradients(self, loss, inputs, targets)
    }
}

/// A [`Network`] from inputs of shape `X` to outputs of shape `Y`, both of elements `E`: a bound for what takes several
/// networks of the same ends.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! {
/// #     Plain: [2] -> [1] { fc: Linear(1) }
/// #     Rich: [2] -> [1] { fc1: Linear(8), Relu, fc2: Linear(1) }
/// # }
/// use netform::data::InMemory;
/// use netform::dim::D;
/// use netform::loss::Mse;
/// use netform::network::NetworkOf;
/// use netform::optim::Adam;
/// use netform::train::Trainer;
/// # use netform::{error::Result, random::Seed};
///
/// type Points = InMemory<(D<2>,), (D<1>,), f32, f32>;
///
/// fn last_loss(mut net: impl NetworkOf<(D<2>,), (D<1>,)>, points: &Points) -> Result<f64> {
///     let history = Trainer::new(Mse, Adam::new(0.1)).epochs(5).fit(&mut net, points)?;
///     Ok(history.last().map_or(f64::NAN, |epoch| epoch.train_loss))
/// }
/// # fn main() -> Result<()> {
/// # let points = Points::new(vec![0.1, 0.9, 0.8, 0.3], vec![0.5, 0.6])?;
///
/// let losses = [last_loss(Plain::new(Seed(1)), &points)?, last_loss(Rich::new(Seed(1)), &points)?];
/// # assert!(losses.iter().all(|loss| loss.is_finite()));
/// # Ok(())
/// # }
/// ```
pub trait NetworkOf<X, Y, E = f32>:
    Network<Elem = E, Input = X, InputElement = E, Output = Y>
{
}

impl<N, X, Y, E> NetworkOf<X, Y, E> for N where
    N: Network<Elem = E, Input = X, InputElement = E, Output = Y>
{
}

/// A new network on `device`, its parameters drawn from `seed`.
#[doc(hidden)]
pub fn build<N: Module>(device: N::Device, seed: Seed) -> Result<N> {
    use crate::device::Memory;
    let mut params = device.zeros(N::PARAM_LEN)?;
    for spec in N::PARAMS {
        let values: Vec<N::Elem> = spec.init.values(spec.shape, seed, spec.name);
        device.write(&mut params, spec.offset, &values)?;
    }
    let mut state = device.zeros(N::STATE_LEN)?;
    for spec in N::STATES {
        let values: Vec<N::Elem> = spec.init.values(spec.shape, seed, spec.name);
        device.write(&mut state, spec.offset, &values)?;
    }
    let id = NETWORKS.fetch_add(1, Ordering::Relaxed);
    Ok(N::from_store(Store {
        device,
        params,
        state,
        seed,
        steps: 0,
        settings: [0.0; MAX_SETTINGS],
        id,
    }))
}

/// Whether `chosen` is the name of a parameter or of a part of the network that the parameter is in. `*` is any one
/// part of a name.
pub(crate) fn chooses(chosen: &str, name: &str) -> bool {
    let mut parts = name.split('.');
    chosen.split('.').all(|want| parts.next().is_some_and(|found| want == "*" || want == found))
}

/// That each of the names chooses a parameter or running statistics of `N`.
pub(crate) fn check_choice<N: Module>(
    chosen: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<()> {
    let names = || N::PARAMS.iter().chain(N::STATES).map(|spec| spec.name);
    for chosen in chosen {
        let chosen = chosen.as_ref();
        if !names().any(|name| chooses(chosen, name)) {
            let known = names().collect::<Vec<_>>().join(", ");
            return Err(Error::Invalid(format!(
                "no parameter of network `{}` is chosen by `{chosen}`; it has {known}",
                N::NAME
            )));
        }
    }
    Ok(())
}

/// The name of what a span of a network's pass holds: [`crate::device::Name`].
pub(crate) fn name_of<N: Module>(span: Span) -> Option<&'static str> {
    match span.slot {
        Slot::Params | Slot::Grads => {
            let holds =
                |it: &&ParamSpec| (it.offset..it.offset + it.numel()).contains(&span.offset);
            let name = N::PARAMS.iter().find(holds)?.name;
            Some(name.rsplit_once('.').map_or(name, |(layer, _)| layer))
        }
        Slot::Index(i) => N::INPUTS.get(usize::from(i)).filter(|it| it.integer).map(|it| it.name),
        _ => None,
    }
}

/// The buffers of a network, to be read.
pub(crate) fn bindings<'a, N: Module>(net: &'a N) -> Bindings<'a, N::Elem, N::Device> {
    let store = net.store();
    Bindings {
        params: crate::device::Access::Read(&store.params),
        state: crate::device::Access::Read(&store.state),
        name: name_of::<N>,
        ..Bindings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_whole_parts() {
        for (chosen, name, expected) in [
            ("conv1", "conv1.weight", true),
            ("conv1", "conv10.weight", false),
            ("conv1.weight", "conv1.weight", true),
            ("conv1.weight", "conv1", false),
            ("*.bias", "conv1.bias", true),
            ("*.bias", "enc.conv1.bias", false),
            ("blocks.*.norm", "blocks.3.norm.weight", true),
            ("*", "w", true),
            ("", "w", false),
        ] {
            assert_eq!(chooses(chosen, name), expected, "{chosen} {name}");
        }
    }
}
