//! Forward and backward passes by hand, for loops that the trainer has no words for: several networks trained
//! against each other, gradients with respect to inputs, sums of gradients over several batches.

use crate::device::{Access, Arg, Bindings, Counter, Device, Fold, Memory, Run, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::{BESIDE, Feed, Tensors};
use crate::module::{Extent, Module, Spans, float_inputs};
use crate::network::bindings;
use crate::shape::MAX_RANK;
use crate::step::Buffer;

/// Whether a network behaves as in training or as in evaluation: dropout and batch normalisation tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As in training.
    Train,
    /// As in evaluation.
    Evaluate,
}

/// The memory of forward and backward passes: used again and again it allocates nothing, and grows only where
/// a larger batch comes.
///
/// [`Workspace::forward`] gives a [`Pullback`]: the outputs, and the way back to the [`Gradients`]. Two
/// networks trained against each other, a small GAN:
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! {
/// #     pub Generator: [2] -> [3] { fc1: Linear(8), Relu, fc2: Linear(3) }
/// #     pub Critic: [3] -> [1] { fc1: Linear(8), Relu, fc2: Linear(1) }
/// # }
/// # fn main() -> netform::error::Result<()> {
/// use netform::dim::{Batch, D};
/// use netform::loss::{BceWithLogits, LossGradient};
/// use netform::module::Module;
/// use netform::optim::Adam;
/// use netform::pullback::{Gradients, Mode};
/// use netform::random::Seed;
/// use netform::tensor::Tensor;
/// use netform::update::Updater;
///
/// let (mut generator, mut critic) = (Generator::new(Seed(1)), Critic::new(Seed(2)));
/// let mut making = generator.workspace(Mode::Train)?;
/// let mut judging = critic.workspace(Mode::Train)?;
/// let (mut bend, mut sharpen) = (Updater::new(Adam::new(1e-3)), Updater::new(Adam::new(1e-3)));
/// let mut loss = LossGradient::new(BceWithLogits);
/// # let (noise, data) = (vec![0.5; 8], vec![1.0; 12]);
/// let noise = Tensor::<(Batch, D<2>)>::from_vec(noise)?;
/// let real = Tensor::<(Batch, D<3>)>::from_vec(data)?;
/// let yes = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0; 4])?;
/// let no = Tensor::<(Batch, D<1>)>::from_vec(vec![0.0; 4])?;
///
/// // The critic learns to tell real from made: the gradients of both batches are added up.
/// let made = making.forward(&generator, &noise)?;
/// let mut sum = Gradients::zeros(&critic)?;
/// for (samples, answer) in [(&real, &yes), (made.outputs(), &no)] {
///     let pass = judging.forward(&critic, samples)?;
///     let (_, gradient) = loss.run(pass.outputs(), answer)?;
///     sum.accumulate(pass.backward(gradient)?)?;
/// }
/// sharpen.apply(&sum, &mut critic)?;
///
/// // The generator learns to be taken for real: through the critic, which stays as it is.
/// let judged = judging.forward(&critic, made.outputs())?;
/// let (_, gradient) = loss.run(judged.outputs(), &yes)?;
/// let towards = judged.backward(gradient)?.inputs()?;
/// bend.apply(made.backward(towards)?, &mut generator)?;
/// # Ok(())
/// # }
/// ```
pub struct Workspace<M: Module> {
    mode: Mode,
    memory: Buffer<M>,
    outputs: M::Outputs,
    gradients: Gradients<M>,
}

impl<M: Module> Workspace<M> {
    /// Memory for passes of `net`; what a batch needs is taken with the first one.
    ///
    /// # Errors
    /// If the device has not enough memory.
    pub fn new(net: &M, mode: Mode) -> Result<Self> {
        let device = &net.store().device;
        Ok(Workspace {
            mode,
            memory: device.zeros(0)?,
            outputs: M::Outputs::empty(device)?,
            gradients: Gradients {
                inputs: Some(M::InputGradients::empty(device)?),
                ..Gradients::zeros(net)?
            },
        })
    }

    /// The forward pass: outputs, and the way back.
    ///
    /// # Errors
    /// If the batch is empty, the inputs' sizes do not fit each other, an index is out of range, or the device
    /// has not enough memory or is lost.
    pub fn forward<'w, 'n, F: Feed<M>>(
        &'w mut self,
        net: &'n M,
        inputs: F,
    ) -> Result<Pullback<'w, 'n, M, F>> {
        let store = net.store();
        let extent = checked(net, inputs.extent()?)?;
        self.fit(net, extent)?;
        self.gradients.take_state(net, self.mode)?;
        let counter = Counter { seed: store.seed.0, step: store.steps, first_sample: 0 };
        let mut bound = self.gradients.bound(net, self.mode, counter);
        bound.workspace = Access::Write(&mut self.memory);
        inputs.bind(&mut bound);
        self.outputs.write(0, &mut bound);
        let mut run = store.device.run(bound);
        M::vjp_forward(&mut run, extent, self.mode, spans::<M>(extent).as_slice());
        run.finish()?;
        Ok(Pullback { workspace: self, net, inputs, extent, counter })
    }

    /// The gradients of the last pass.
    pub fn into_gradients(self) -> Gradients<M> {
        self.gradients
    }

    fn fit(&mut self, net: &M, e: Extent) -> Result<()> {
        let device = &net.store().device;
        let len = M::vjp_workspace(e, self.mode);
        if len > device.len(&self.memory) {
            self.memory = device.zeros(len)?;
        }
        self.outputs.resize(|i| M::output_sizes(e, i))?;
        match &mut self.gradients.inputs {
            Some(inputs) => inputs.resize(|i| input_sizes::<M>(e, i)),
            None => Ok(()),
        }
    }
}

/// The sizes of float input `i`.
fn input_sizes<M: Module>(e: Extent, i: usize) -> [usize; MAX_RANK] {
    float_inputs::<M>().nth(i).map_or([0; MAX_RANK], |port| M::input_sizes(e, port))
}

/// The extent with the network's settings, where it has samples.
pub(crate) fn checked<M: Module>(net: &M, mut e: Extent) -> Result<Extent> {
    e.settings = net.store().settings;
    match e.batch {
        0 => Err(Error::Size {
            what: format!("a pass of network `{}`", M::NAME),
            expected: "a batch of at least one sample".to_owned(),
            found: "none".to_owned(),
        }),
        _ => Ok(e),
    }
}

/// Inputs, gradients with respect to outputs, outputs, gradients with respect to float inputs.
fn spans<M: Module>(e: Extent) -> Spans {
    let mut spans = Spans::inputs::<M>(e);
    for i in 0..M::OUTPUTS.len() {
        spans.push(Slot::Input((BESIDE + i) as u8), M::output_sizes(e, i));
    }
    let mut spans = spans.outputs::<M>(e);
    for (i, port) in float_inputs::<M>().enumerate() {
        spans.push(Slot::Output((BESIDE + i) as u8), M::input_sizes(e, port));
    }
    spans
}

/// A forward pass that has been made, and the way back from it.
#[must_use = "a forward pass without its outputs or gradients does nothing"]
pub struct Pullback<'w, 'n, M: Module, F> {
    workspace: &'w mut Workspace<M>,
    net: &'n M,
    inputs: F,
    extent: Extent,
    counter: Counter,
}

impl<'w, M: Module, F: Feed<M>> Pullback<'w, '_, M, F> {
    /// The output, or the tuple of outputs.
    pub fn outputs(&self) -> &M::Outputs {
        &self.workspace.outputs
    }

    /// The backward pass: the gradients of parameters and float inputs, for the given gradients with respect
    /// to the outputs.
    ///
    /// # Errors
    /// If a gradient has other sizes than its output, or the device is lost.
    pub fn backward(self, output_gradients: &M::Outputs) -> Result<&'w Gradients<M>> {
        let Pullback { workspace, net, inputs, extent, counter } = self;
        output_gradients.sizes(|i, found| {
            let expected = M::output_sizes(extent, i);
            if found == expected {
                return Ok(());
            }
            let rank = M::OUTPUTS.get(i).map_or(MAX_RANK, |port| port.axes.len() + 1);
            Err(Error::Size {
                what: format!("the gradient with respect to output {i} of network `{}`", M::NAME),
                expected: format!("the output's sizes {:?}", &expected[..rank]),
                found: format!("{:?}", &found[..rank]),
            })
        })?;
        let mode = workspace.mode;
        let Workspace { memory, outputs, gradients, .. } = &mut *workspace;
        let Gradients { buffer, inputs: input_gradients, state, .. } = gradients;
        let mut bound = Bindings {
            state: state_access(mode, &net.store().state, state),
            grads: Access::Write(buffer),
            workspace: Access::Write(memory),
            counter,
            ..bindings(net)
        };
        inputs.bind(&mut bound);
        output_gradients.read(BESIDE, &mut bound);
        outputs.write(0, &mut bound);
        if let Some(input_gradients) = input_gradients {
            input_gradients.write(BESIDE, &mut bound);
        }
        let mut run = net.store().device.run(bound);
        M::vjp_backward(&mut run, extent, mode, spans::<M>(extent).as_slice());
        run.finish()?;
        Ok(&workspace.gradients)
    }
}

fn state_access<'a, B>(mode: Mode, net: &'a B, copy: &'a mut Option<B>) -> Access<'a, B> {
    match (mode, copy) {
        (Mode::Train, Some(copy)) => Access::Write(copy),
        _ => Access::Read(net),
    }
}

/// The gradients of a network's parameters in one buffer; where a [`Workspace`] or [`Module::vjp`] made them,
/// those of its float inputs too.
pub struct Gradients<M: Module> {
    device: M::Device,
    buffer: Buffer<M>,
    inputs: Option<M::InputGradients>,
    /// The running statistics after the pass: an update takes them over.
    state: Option<Buffer<M>>,
    /// How many batches these statistics are of: none after [`Gradients::clear`].
    measured: usize,
    /// Room for the state on its way from buffer to buffer.
    host: Vec<M::Elem>,
    scalar: Buffer<M>,
}

impl<M: Module> Gradients<M> {
    /// Gradients of zero of all parameters: where a sum begins.
    ///
    /// # Errors
    /// If the device has not enough memory.
    pub fn zeros(net: &M) -> Result<Self> {
        let device = net.store().device.clone();
        Ok(Gradients {
            buffer: device.zeros(M::PARAM_LEN)?,
            inputs: None,
            state: None,
            measured: 0,
            host: Vec::new(),
            scalar: device.zeros(1)?,
            device,
        })
    }

    /// The gradient of the parameter called `name`, in the parameter's layout.
    ///
    /// # Errors
    /// If the network has no such parameter, or the device is lost.
    pub fn get(&self, name: &str) -> Result<Vec<M::Elem>> {
        let spec = crate::weights::find::<M>(name)?;
        let mut values = vec![M::Elem::ZERO; spec.numel()];
        self.device.read(&self.buffer, spec.offset, &mut values)?;
        Ok(values)
    }

    /// The gradient with respect to the float input, or the tuple of them.
    ///
    /// # Errors
    /// If these are gradients of parameters alone.
    pub fn inputs(&self) -> Result<&M::InputGradients> {
        self.inputs.as_ref().ok_or_else(|| {
            Error::Invalid(format!(
                "these gradients of network `{}` are of its parameters only; those of `vjp` and of a Workspace have its inputs' too",
                M::NAME
            ))
        })
    }

    /// Adds the gradients of another batch. The batches count as one large one: the running statistics become
    /// the mean of those after each, of which an update makes one step. (PyTorch moves them at each forward pass
    /// instead.)
    ///
    /// # Errors
    /// If the device is lost.
    pub fn accumulate(&mut self, other: &Self) -> Result<()> {
        let (own, others) = (whole(Slot::Grads, M::PARAM_LEN), whole(Slot::Input(0), M::PARAM_LEN));
        self.update(
            [others],
            |[sum, more], []| sum + more,
            [],
            &["a0 + a1"],
            Some(&other.buffer),
            own,
        )?;
        match &other.state {
            Some(state) if other.measured > 0 => self.average(state, other.measured),
            _ => Ok(()),
        }
    }

    /// Takes the running statistics of so many other batches into the mean.
    fn average(&mut self, others: &Buffer<M>, count: usize) -> Result<()> {
        let len = M::STATE_LEN;
        self.host.resize(2 * len, M::Elem::ZERO);
        let (mean, more) = self.host.split_at_mut(len);
        self.device.read(others, 0, &mut more[..len])?;
        if self.state.is_none() {
            self.state = Some(self.device.zeros(len)?);
        }
        let Some(state) = &mut self.state else { return Ok(()) };
        self.device.read(state, 0, mean)?;
        self.measured += count;
        // mean + (more - mean) * count / all
        let part = M::Elem::from_f64(count as f64 / self.measured as f64);
        for (mean, more) in mean.iter_mut().zip(&more[..len]) {
            *mean = if count == self.measured { *more } else { *mean + (*more - *mean) * part };
        }
        self.device.write(state, 0, mean)
    }

    /// Multiplies the gradients of all parameters by a number: by 1 / n after `n` batches, for example.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn scale(&mut self, factor: f64) -> Result<()> {
        let own = whole(Slot::Grads, M::PARAM_LEN);
        self.update([], |[x], [c]| c * x, [M::Elem::from_f64(factor)], &["c0 * a0"], None, own)
    }

    /// Makes the gradients of all parameters zero again.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn clear(&mut self) -> Result<()> {
        use crate::device::Kernels;
        self.measured = 0;
        let bound = Bindings { grads: Access::Write(&mut self.buffer), ..Bindings::default() };
        let mut run = self.device.run(bound);
        run.fill(Span::new(Slot::Grads, 0, M::PARAM_LEN), M::Elem::ZERO);
        run.finish()
    }

    /// The root of the sum of squares of all parameters' gradients.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn norm(&mut self) -> Result<M::Elem> {
        use crate::device::Kernels;
        let bound = Bindings {
            grads: Access::Read(&self.buffer),
            workspace: Access::Write(&mut self.scalar),
            ..Bindings::default()
        };
        let mut run = self.device.run(bound);
        let own = whole(Slot::Grads, M::PARAM_LEN);
        let out = Span::new(Slot::Workspace, 0, 1);
        let grid = [1, 1, 1, M::PARAM_LEN];
        run.reduce(out, Fold::Sum, grid, [true; 4], [own], [], |[x], []| x * x, &["a0 * a0"]);
        run.finish()?;
        let mut sum = [M::Elem::ZERO];
        self.device.read(&self.scalar, 0, &mut sum)?;
        Ok(sum[0].sqrt())
    }

    fn update<const I: usize, const N: usize, const C: usize>(
        &mut self,
        others: [Arg; I],
        f: impl Fn([M::Elem; N], [M::Elem; C]) -> M::Elem + Copy + Send + Sync,
        consts: [M::Elem; C],
        text: crate::device::Text,
        other: Option<&Buffer<M>>,
        own: Arg,
    ) -> Result<()> {
        use crate::device::Kernels;
        let mut bound = Bindings { grads: Access::Write(&mut self.buffer), ..Bindings::default() };
        bound.inputs[0] = other;
        let mut run = self.device.run(bound);
        let ins = std::array::from_fn(|i| if i == 0 { own } else { others[i - 1] });
        let out = Span::new(Slot::Grads, 0, M::PARAM_LEN);
        run.map([out], [1, 1, 1, M::PARAM_LEN], ins, consts, |a, c| [f(a, c)], text);
        run.finish()
    }

    /// In training mode, the network's running statistics as they are before the pass.
    fn take_state(&mut self, net: &M, mode: Mode) -> Result<()> {
        if mode == Mode::Evaluate || M::STATE_LEN == 0 {
            return Ok(());
        }
        self.measured = 1;
        self.host.resize(M::STATE_LEN, M::Elem::ZERO);
        self.device.read(&net.store().state, 0, &mut self.host)?;
        if self.state.is_none() {
            self.state = Some(self.device.zeros(M::STATE_LEN)?);
        }
        match &mut self.state {
            Some(state) => self.device.write(state, 0, &self.host),
            None => Ok(()),
        }
    }

    fn bound<'a>(
        &'a mut self,
        net: &'a M,
        mode: Mode,
        counter: Counter,
    ) -> Bindings<'a, M::Elem, M::Device> {
        Bindings {
            state: state_access(mode, &net.store().state, &mut self.state),
            grads: Access::Write(&mut self.buffer),
            counter,
            ..bindings(net)
        }
    }

    /// The buffer of all parameters' gradients.
    pub(crate) fn buffer(&self) -> &Buffer<M> {
        &self.buffer
    }

    /// Gradients of parameters alone, as a training step left them.
    pub(crate) fn of_parameters(net: &M, buffer: Buffer<M>) -> Result<Self> {
        Ok(Gradients { buffer, ..Self::zeros(net)? })
    }

    /// Gives the network the running statistics after the pass, but for those that are to stay `still`: offsets and
    /// lengths.
    pub(crate) fn put_state(
        &self,
        net: &mut M,
        still: &[(usize, usize)],
        host: &mut Vec<M::Elem>,
    ) -> Result<()> {
        let Some(state) = self.state.as_ref().filter(|_| self.measured > 0) else { return Ok(()) };
        host.resize(M::STATE_LEN, M::Elem::ZERO);
        self.device.read(state, 0, host)?;
        let store = net.store_mut();
        for &(offset, len) in still {
            store.device.read(&store.state, offset, &mut host[offset..][..len])?;
        }
        store.device.write(&mut store.state, 0, host)
    }
}

/// A buffer element by element.
fn whole(slot: Slot, len: usize) -> Arg {
    Arg::View { span: Span::new(slot, 0, len), strides: [0, 0, 0, 1] }
}
