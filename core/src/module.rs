//! Modules: what `network!` prints implements [`Module`], for any number of inputs and outputs. Networks of
//! one input and one output are [`crate::network::Network`]s too.

use crate::device::{Device, Kernels, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::{Feed, Tensors};
use crate::loss_step::{LossStep, ScalarLoss};
use crate::network::{LayerSpec, ParamSpec, Store};
use crate::optim::Optimizer;
use crate::outputs::Outputs;
use crate::pullback::{Gradients, Mode, Workspace};
use crate::shape::MAX_RANK;
use crate::summary::Summary;

/// The most sizes of a network that are known only at run time.
pub const MAX_SIZES: usize = 4;

/// The most run-time settings of a network.
pub const MAX_SETTINGS: usize = 8;

/// The most inputs of a network, and the most outputs.
pub const MAX_PORTS: usize = 8;

/// What a pass works on besides tensors: the numbers that are known only at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    /// The number of samples.
    pub batch: usize,
    /// The sizes that are known only at run time, in the order of [`Module::LENS`].
    pub sizes: [usize; MAX_SIZES],
    /// The settings, in the order of [`Module::SETTINGS`].
    pub settings: [f64; MAX_SETTINGS],
}

impl Extent {
    /// `batch` samples of a network all of whose sizes are constant, with the settings that are 0.
    pub const fn of(batch: usize) -> Self {
        Extent { batch, sizes: [0; MAX_SIZES], settings: [0.0; MAX_SETTINGS] }
    }

    /// One sample, 1 long wherever a length is known only at run time: for tables of sizes.
    pub const fn unit() -> Self {
        Extent { batch: 1, sizes: [1; MAX_SIZES], settings: [0.0; MAX_SETTINGS] }
    }
}

/// An axis of an input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortAxis {
    /// A constant size.
    Size(usize),
    /// A size that is known only at run time: its name in the declaration.
    Len(&'static str),
}

impl PortAxis {
    /// The size, where it is constant.
    pub const fn size(self) -> Option<usize> {
        match self {
            PortAxis::Size(n) => Some(n),
            PortAxis::Len(_) => None,
        }
    }
}

/// An input or output of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// The name; empty for an output.
    pub name: &'static str,
    /// The shape of one sample.
    pub axes: &'static [PortAxis],
    /// `u32` instead of the network's element type.
    pub integer: bool,
}

impl std::fmt::Display for PortSpec {
    /// `[1, 28, 28]`, `u32[T]`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.integer { "u32[" } else { "[" })?;
        for (i, axis) in self.axes.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            match axis {
                PortAxis::Size(n) => write!(f, "{n}")?,
                PortAxis::Len(name) => f.write_str(name)?,
            }
        }
        f.write_str("]")
    }
}

/// A network with its parameters: what `network!` implements for every type that it prints.
///
/// The functions that take kernels are passes of the plan: printed straight-line code.
pub trait Module: Sized + Send + Sync {
    /// The element type.
    type Elem: Float;
    /// The device.
    type Device: Device<Self::Elem>;
    /// The output's tensor, or a tuple of the outputs' tensors.
    type Outputs: Tensors<Self::Elem, Self::Device>;
    /// The tensors of the gradients with respect to the float inputs: one, or a tuple of them.
    type InputGradients: Tensors<Self::Elem, Self::Device>;

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
    /// The inputs.
    const INPUTS: &'static [PortSpec];
    /// The outputs.
    const OUTPUTS: &'static [PortSpec];
    /// What the outputs of a network of one output are, as far as the end of its graph says it.
    const OUTPUTS_ARE: Outputs = Outputs::Logits;
    /// The names of the sizes that may be known only at run time.
    const LENS: &'static [&'static str] = &[];
    /// The names of the run-time settings.
    const SETTINGS: &'static [&'static str] = &[];
    /// Those of them that are rates of dropout, from 0 to 1.
    const RATES: &'static [&'static str] = &[];

    /// The network around its parameters.
    #[doc(hidden)]
    fn from_store(store: Store<Self::Elem, Self::Device>) -> Self;
    /// The parameters.
    #[doc(hidden)]
    fn store(&self) -> &Store<Self::Elem, Self::Device>;
    /// The parameters, to be changed.
    #[doc(hidden)]
    fn store_mut(&mut self) -> &mut Store<Self::Elem, Self::Device>;

    /// That the sizes which are known only at run time fit the network.
    #[doc(hidden)]
    fn check_sizes(_: Extent) -> Result<()> {
        Ok(())
    }
    /// The sizes of input `i`, the batch first; 1 from its rank on.
    #[doc(hidden)]
    fn input_sizes(e: Extent, i: usize) -> [usize; MAX_RANK];
    /// The sizes of output `i`, the batch first; 1 from its rank on.
    #[doc(hidden)]
    fn output_sizes(e: Extent, i: usize) -> [usize; MAX_RANK];

    /// The workspace, in elements, of [`Module::infer`].
    #[doc(hidden)]
    fn infer_workspace(e: Extent) -> usize;
    /// Evaluation: `outputs` from `inputs`.
    #[doc(hidden)]
    fn infer<K: Kernels<Self::Elem>>(k: &mut K, e: Extent, inputs: &[Span], outputs: &[Span]);

    /// The workspace, in elements, of [`Module::train_forward`] and [`Module::backward`] together.
    #[doc(hidden)]
    fn train_workspace(e: Extent) -> usize;
    /// The forward pass of a training step.
    #[doc(hidden)]
    fn train_forward<K: Kernels<Self::Elem>>(k: &mut K, e: Extent, inputs: &[Span]);
    /// Where output `i` is after [`Module::train_forward`].
    #[doc(hidden)]
    fn train_output(e: Extent, i: usize) -> Span;
    /// Where [`Module::backward`] expects the gradient of the loss with respect to output `i`.
    #[doc(hidden)]
    fn output_gradient(e: Extent, i: usize) -> Span;
    /// The backward pass: writes every parameter's gradient, and the new running statistics.
    #[doc(hidden)]
    fn backward<K: Kernels<Self::Elem>>(k: &mut K, e: Extent, inputs: &[Span]);

    /// The workspace, in elements, of [`Module::vjp_forward`] and [`Module::vjp_backward`] together.
    #[doc(hidden)]
    fn vjp_workspace(e: Extent, mode: Mode) -> usize;
    /// Outputs, of a pass that [`Module::vjp_backward`] follows. `spans` are the inputs, the gradients with
    /// respect to the outputs, the outputs, and the gradients with respect to the float inputs.
    #[doc(hidden)]
    fn vjp_forward<K: Kernels<Self::Elem>>(k: &mut K, e: Extent, mode: Mode, spans: &[Span]);
    /// Gradients with respect to parameters and float inputs; in training mode also the new running
    /// statistics.
    #[doc(hidden)]
    fn vjp_backward<K: Kernels<Self::Elem>>(k: &mut K, e: Extent, mode: Mode, spans: &[Span]);

    /// Memory for forward and backward passes by hand: see [`Workspace`].
    ///
    /// # Errors
    /// If the device has not enough memory.
    fn workspace(&self, mode: Mode) -> Result<Workspace<Self>> {
        Workspace::new(self, mode)
    }

    /// The vector-Jacobian product in training mode, with memory of its own: the gradients of all parameters
    /// and float inputs for the given gradients with respect to the outputs, as
    /// [torch.autograd.grad](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html) has them.
    /// [`Workspace`] keeps its memory, has an evaluation mode, and gives the outputs too.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// use netform::dim::{Batch, D};
    /// use netform::module::Module;
    /// use netform::random::Seed;
    /// use netform::tensor::Tensor;
    ///
    /// let net = Net::new(Seed(1));
    /// let x = Tensor::<(Batch, D<2>)>::from_vec(vec![3.0, 4.0])?;
    /// let dy = Tensor::<(Batch, D<1>)>::from_vec(vec![2.0])?;
    /// let gradients = net.vjp(&x, &dy)?;
    /// assert_eq!(gradients.get("fc1.weight")?, [6.0, 8.0]);
    /// assert_eq!(gradients.inputs()?.to_vec().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the batch is empty, sizes do not fit each other, an index is out of range, or the device has not
    /// enough memory or is lost.
    fn vjp<F: Feed<Self>>(
        &self,
        inputs: F,
        output_gradients: &Self::Outputs,
    ) -> Result<Gradients<Self>> {
        let mut workspace = self.workspace(Mode::Train)?;
        workspace.forward(self, inputs)?.backward(output_gradients)?;
        Ok(workspace.into_gradients())
    }

    /// A training step of a network whose only output is its loss, for batches of up to `batch` samples.
    ///
    /// # Errors
    /// If a setting of the optimiser makes no sense, the device has not enough memory, or `batch` is 0.
    fn loss_step<O: Optimizer>(
        &mut self,
        optimizer: O,
        batch: usize,
    ) -> Result<LossStep<'_, Self, O>>
    where
        Self: ScalarLoss,
    {
        LossStep::new(self, optimizer, batch)
    }

    /// The run-time setting called `name`.
    ///
    /// # Errors
    /// If there is none of this name.
    fn setting(&self, name: &str) -> Result<f64> {
        let i = find_setting::<Self>(name)?;
        Ok(self.store().settings[i])
    }

    /// Gives the run-time setting called `name` a new value, from the next pass on.
    ///
    /// # Errors
    /// If there is none of this name, or `value` is infinite, not a number or, for a rate of dropout, not from
    /// 0 to 1.
    fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let i = find_setting::<Self>(name)?;
        check_setting::<Self>(name, value)?;
        self.store_mut().settings[i] = value;
        Ok(())
    }

    /// The table of layers, output shapes, parameter counts and memory; printed with `{}`.
    fn summary(&self) -> Summary {
        Summary::of(self)
    }
}

/// A network as `{:?}` prints it: its name and the number of its parameters.
///
/// # Errors
/// If the formatter returns one.
#[doc(hidden)]
pub fn debug<M: Module>(_: &M, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.debug_struct(M::NAME).field("parameters", &M::PARAM_LEN).finish_non_exhaustive()
}

/// A new network with its settings, in their order.
///
/// # Errors
/// If one is not what [`Module::set`] takes.
#[doc(hidden)]
pub fn with_settings<M: Module>(mut net: M, values: &[f64]) -> Result<M> {
    for (i, (&value, name)) in values.iter().zip(M::SETTINGS).enumerate() {
        check_setting::<M>(name, value)?;
        net.store_mut().settings[i] = value;
    }
    Ok(net)
}

pub(crate) fn check_setting<M: Module>(name: &str, value: f64) -> Result<()> {
    let expected = match M::RATES.contains(&name) {
        true if !(0.0..=1.0).contains(&value) => "a rate of dropout, from 0 to 1",
        false if !value.is_finite() => "a finite number",
        _ => return Ok(()),
    };
    Err(Error::Invalid(format!(
        "setting `{name}` of network `{}`: expected {expected}, found {value}",
        M::NAME
    )))
}

fn find_setting<M: Module>(name: &str) -> Result<usize> {
    M::SETTINGS.iter().position(|setting| *setting == name).ok_or_else(|| {
        let known = match M::SETTINGS {
            [] => "it has none".to_owned(),
            names => format!("it has {}", names.join(", ")),
        };
        Error::Invalid(format!("network `{}` has no setting `{name}`; {known}", M::NAME))
    })
}

/// The number of elements of a tensor.
pub(crate) fn numel(sizes: [usize; MAX_RANK]) -> usize {
    sizes.iter().fold(1, |n: usize, &size| n.saturating_mul(size))
}

/// Spans of at most [`MAX_PORTS`] ports each of several kinds, on the stack.
pub(crate) struct Spans {
    spans: [Span; 4 * MAX_PORTS],
    len: usize,
}

impl Spans {
    pub fn new() -> Self {
        Spans { spans: [Span::new(Slot::Workspace, 0, 0); 4 * MAX_PORTS], len: 0 }
    }

    /// The spans of all inputs, in the slots that [`Feed`] binds.
    pub fn inputs<M: Module>(e: Extent) -> Self {
        let mut spans = Spans::new();
        for (i, port) in M::INPUTS.iter().enumerate() {
            let slot = if port.integer { Slot::Index(i as u8) } else { Slot::Input(i as u8) };
            spans.push(slot, M::input_sizes(e, i));
        }
        spans
    }

    pub fn push(&mut self, slot: Slot, sizes: [usize; MAX_RANK]) {
        self.spans[self.len] = Span::new(slot, 0, numel(sizes));
        self.len += 1;
    }

    /// Adds the spans of all outputs, in output slots.
    pub fn outputs<M: Module>(mut self, e: Extent) -> Self {
        for i in 0..M::OUTPUTS.len() {
            self.push(Slot::Output(i as u8), M::output_sizes(e, i));
        }
        self
    }

    pub fn as_slice(&self) -> &[Span] {
        &self.spans[..self.len]
    }
}

/// The numbers of the float inputs.
pub(crate) fn float_inputs<M: Module>() -> impl Iterator<Item = usize> + Clone {
    M::INPUTS.iter().enumerate().filter(|(_, port)| !port.integer).map(|(i, _)| i)
}
