//! Networks: what `network!` prints implements [`Network`]; what every network can do is here, once.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::device::{Bindings, Device, Kernels, Span};
use crate::element::Float;
use crate::error::Result;
use crate::inference::Predictor;
use crate::init::Init;
use crate::loss::Loss;
use crate::optim::Optimizer;
use crate::random::Seed;
use crate::shape::{BatchedShape, SameSample, SampleShape};
use crate::step::{Gradients, TrainStep};
use crate::summary::Summary;
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
    pub output: &'static [usize],
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
    /// Which network of this program it is: no two have the same number.
    pub(crate) id: u64,
}

/// How many networks this program has made.
static NETWORKS: AtomicU64 = AtomicU64::new(0);

/// A network with its parameters: what `network!` implements for the type that it prints.
///
/// The functions that take kernels are passes of the plan: printed straight-line code.
pub trait Network: Sized + Send + Sync {
    /// The element type.
    type Elem: Float;
    /// The device.
    type Device: Device<Self::Elem>;
    /// The shape of one input sample.
    type Input: SampleShape;
    /// The shape of one output sample.
    type Output: SampleShape;

    /// The network's name.
    const NAME: &'static str;
    /// The graph and its planned steps, forward and backward, as text.
    const PLAN: &'static str;
    /// The parameters, in the order of the declaration.
    const PARAMS: &'static [ParamSpec];
    /// The layers, in the order of the declaration.
    const LAYERS: &'static [LayerSpec];
    /// The named parts of the state buffer, PyTorch's buffers: `bn.running_mean`. Files hold them too.
    const STATES: &'static [ParamSpec] = &[];
    /// The number of elements of all parameters' buffer.
    const PARAM_LEN: usize;
    /// The number of elements of the state buffer.
    const STATE_LEN: usize;

    /// The network around its parameters.
    #[doc(hidden)]
    fn from_store(store: Store<Self::Elem, Self::Device>) -> Self;
    /// The parameters.
    #[doc(hidden)]
    fn store(&self) -> &Store<Self::Elem, Self::Device>;
    /// The parameters, to be changed.
    #[doc(hidden)]
    fn store_mut(&mut self) -> &mut Store<Self::Elem, Self::Device>;

    /// The workspace, in elements, of [`Network::infer`].
    #[doc(hidden)]
    fn infer_workspace(batch: usize) -> usize;
    /// Evaluation: `output` from `input`.
    #[doc(hidden)]
    fn infer<K: Kernels<Self::Elem>>(k: &mut K, batch: usize, input: Span, output: Span);
    /// The workspace, in elements, of [`Network::train_forward`] and [`Network::backward`] together.
    #[doc(hidden)]
    fn train_workspace(batch: usize) -> usize;
    /// The forward pass of a training step; returns where the output is.
    #[doc(hidden)]
    fn train_forward<K: Kernels<Self::Elem>>(k: &mut K, batch: usize, input: Span) -> Span;
    /// Where [`Network::backward`] expects the gradient of the loss with respect to the output.
    #[doc(hidden)]
    fn output_gradient(batch: usize) -> Span;
    /// The backward pass: writes every parameter's gradient.
    #[doc(hidden)]
    fn backward<K: Kernels<Self::Elem>>(k: &mut K, batch: usize, input: Span);

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
        inputs: &Tensor<S, Self::Elem, Self::Device>,
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

    /// The table of layers, output shapes, parameter counts and memory; printed with `{}`.
    fn summary(&self) -> Summary {
        Summary::of(self)
    }
}

/// A new network on `device`, its parameters drawn from `seed`.
#[doc(hidden)]
pub fn build<N: Network>(device: N::Device, seed: Seed) -> Result<N> {
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
    Ok(N::from_store(Store { device, params, state, seed, steps: 0, id }))
}

/// The buffers of a network, to be read.
pub(crate) fn bindings<'a, N: Network>(net: &'a N) -> Bindings<'a, N::Elem, N::Device> {
    let store = net.store();
    Bindings {
        params: crate::device::Access::Read(&store.params),
        state: crate::device::Access::Read(&store.state),
        ..Bindings::default()
    }
}
