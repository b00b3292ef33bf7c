//! Training and inference step by step: what the trainer is made of, and what a loop of one's own uses.

mod ahead;
mod culprit;
mod memo;
mod room;

use std::marker::PhantomData;

use crate::data::MiniBatch;
use crate::device::{Access, Bindings, Counter, Device, Memory, Run};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::feed::{BESIDE, InputElement};
use crate::loss::{Loss, constants};
use crate::module::{Extent, Module, Spans};
use crate::network::{Network, bindings};
use crate::optim::Optimizer;
use crate::pullback::Gradients;
use crate::shape::{BatchedShape, SameSample, SampleShape};
use crate::tensor::Tensor;
use crate::update::{Rules, Updates};

pub(crate) use ahead::{Batch, Left, Memories, RunOf};
pub(crate) use culprit::{Culprit, GRADES, Part, search};
pub(crate) use room::{check_size, room};

/// The shape of a batch of a network's inputs.
pub type InputBatch<N> = <<N as Network>::Input as SampleShape>::Batched;
/// The shape of a batch of a network's outputs.
pub type OutputBatch<N> = <<N as Network>::Output as SampleShape>::Batched;
/// A buffer of a network's elements on its device.
pub(crate) type Buffer<N> = <<N as Module>::Device as Memory>::Buffer<<N as Module>::Elem>;
/// A buffer of a network's input elements on its device.
pub(crate) type InputBuffer<N> =
    <<N as Module>::Device as Memory>::Buffer<<N as Network>::InputElement>;

/// What a pass of a network on `batch` samples works on.
pub(crate) fn extent<N: Module>(net: &N, batch: usize) -> Extent {
    Extent { settings: net.store().settings, ..Extent::of(batch) }
}

pub(crate) fn check_capacity(what: &str, batch: usize, capacity: usize) -> Result<()> {
    if batch == 0 || batch > capacity {
        return Err(Error::Size {
            what: what.to_owned(),
            expected: format!("a batch of 1 to {capacity} samples"),
            found: batch.to_string(),
        });
    }
    Ok(())
}

/// The state of an optimiser between steps: it outlives the [`TrainStep`] where training is continued.
pub struct OptimizerState<B> {
    /// What the optimiser keeps, slot after slot; `None` before the first step.
    pub slots: Option<B>,
    /// Updates made.
    pub steps: u64,
    /// Whole epochs trained.
    pub(crate) epochs: u64,
    /// The sum of the gradients' squares, and what they are multiplied by.
    pub(crate) scalars: Option<B>,
    /// The sum of the gradients of the batches since the last update.
    pub(crate) sum: Option<B>,
    /// How many batches these are.
    pub(crate) gathered: u64,
    /// The moving average of the parameters.
    pub(crate) average: Option<B>,
    /// Of how many updates it is.
    pub(crate) averaged: u64,
}

impl<B> Default for OptimizerState<B> {
    fn default() -> Self {
        OptimizerState {
            slots: None,
            steps: 0,
            epochs: 0,
            scalars: None,
            sum: None,
            gathered: 0,
            average: None,
            averaged: 0,
        }
    }
}

/// Forward, loss, backward and update, with all the memory that they need.
///
/// [`TrainStep::run`] allocates nothing in steady state.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::data::{Dataset, InMemory};
/// use netform::dim::D;
/// use netform::loss::CrossEntropy;
/// use netform::network::Network;
/// use netform::optim::Sgd;
/// use netform::random::{Rng, Seed};
///
/// let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
/// let mut net = Net::new(Seed(1));
/// let mut step = net.train_step(CrossEntropy, Sgd::new(0.1).momentum(0.9), 2)?;
/// let mut rng = Rng::new(Seed(1), 0);
/// for batch in data.batches(2, &mut rng) {
///     let loss = step.run(&batch?)?;
///     println!("{loss}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct TrainStep<'n, N: Network, L, O, Y, T> {
    net: &'n mut N,
    loss: L,
    updates: Updates<O, Buffer<N>>,
    memories: Memories<N>,
    /// What the loss reads beside outputs and targets.
    constants: Option<Buffer<N>>,
    targets: PhantomData<fn(Y, T)>,
}

// Without the loss's targets, which are inferred from the first batch.
impl<N: Network, L, O: Optimizer, Y, T> TrainStep<'_, N, L, O, Y, T> {
    /// Exchanges the parameters with their moving average ([`Rules::average`]), and back at the next call: to evaluate
    /// or save the network with it. Nothing happens before the first update.
    ///
    /// The step trains what is in the network: exchange back before it runs again.
    pub fn exchange_average(&mut self) {
        self.updates.exchange_average::<N>(self.net);
    }

    /// Leaves the average in the network, and begins a new one with the next update.
    pub(crate) fn keep_average(&mut self) {
        self.exchange_average();
        self.updates.state.averaged = 0;
    }

    /// What a saved training consists of.
    pub(crate) fn parts(&self) -> (&N, &Updates<O, Buffer<N>>) {
        (self.net, &self.updates)
    }

    crate::update::ruled! { |step| step.updates.rules_mut() }
}

impl<'n, N, L, O, Y, T> TrainStep<'n, N, L, O, Y, T>
where
    N: Network,
    L: Loss<N::Elem, N::Output, Y, T>,
    O: Optimizer,
    Y: SampleShape,
    T: Element,
{
    /// A step for batches of up to `batch` samples.
    ///
    /// # Errors
    /// If a setting of the loss or the optimiser makes no sense, the device has not enough memory, or `batch` is 0.
    pub fn new(net: &'n mut N, loss: L, optimizer: O, batch: usize) -> Result<Self> {
        Self::resume(net, loss, optimizer, batch, OptimizerState::default())
    }

    /// A step that goes on with the optimiser's state of an earlier one.
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn resume(
        net: &'n mut N,
        loss: L,
        optimizer: O,
        batch: usize,
        state: OptimizerState<Buffer<N>>,
    ) -> Result<Self> {
        optimizer.check()?;
        let device = net.store().device.clone();
        let constants = constants(&device, &loss.constants()?)?;
        let memories = Memories::new(&device, batch, |batch| loss.workspace(batch))?;
        let mut updates = Updates::new(optimizer, Rules::new(), state);
        updates.prepare::<N>(&device)?;
        Ok(TrainStep { net, loss, updates, memories, constants, targets: PhantomData })
    }

    /// Trains on one batch and returns its loss, from before the update. A loss that is infinite or not
    /// a number is returned too, without an update: parameters, running statistics and optimiser stay as they were. So
    /// they do where the norm of the gradients is ([`TrainStep::gradient_norm`]).
    ///
    /// # Errors
    /// If the batch is empty or larger than the step's capacity, a label is out of range, the optimiser
    /// was exchanged for one that keeps another number of values, or the device is lost. Parameters and
    /// running statistics are unchanged where a label is out of range.
    pub fn run<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<N::Elem> {
        self.run_on(&batch.inputs, &batch.targets)
    }

    /// [`TrainStep::run`] on inputs and targets that are not one [`MiniBatch`].
    ///
    /// # Errors
    /// As [`TrainStep::run`].
    pub fn run_on<S, R>(
        &mut self,
        inputs: &Tensor<S, N::InputElement, N::Device>,
        targets: &Tensor<R, T, N::Device>,
    ) -> Result<N::Elem>
    where
        S: BatchedShape,
        S::Sample: SameSample<N::Input>,
        R: BatchedShape<Sample = Y>,
    {
        self.post(inputs, targets, false, false)?;
        self.memories.wait_for_last(self.net.store_mut(), &mut self.updates.state)
    }

    /// Begins to train on one batch, and does not wait for its end: a device works on it while the next batch is made.
    /// Returns the loss of the oldest step that has not been received, once more than a few are under way; on the CPU,
    /// where none is, that is this step's loss. [`TrainStep::receive`] yields those that are left.
    ///
    /// A loss, or a norm of gradients, that is infinite or not a number makes no update, as in [`TrainStep::run`]; steps
    /// that follow it are under way by then, and make theirs.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::{Dataset, InMemory}, dim::D, loss::CrossEntropy, network::Network, optim::Sgd};
    /// # use netform::random::{Rng, Seed};
    /// # let data = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// # let (mut net, mut rng) = (Net::new(Seed(1)), Rng::new(Seed(1), 0));
    /// let mut step = net.train_step(CrossEntropy, Sgd::new(0.1), 1)?;
    /// let mut losses = vec![];
    /// for batch in data.batches(1, &mut rng) {
    ///     losses.extend(step.submit(&batch?)?);
    /// }
    /// while let Some(loss) = step.receive()? {
    ///     losses.push(loss);
    /// }
    /// assert_eq!(losses.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TrainStep::run`], of this batch or of the one whose loss is returned.
    pub fn submit<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Option<N::Elem>> {
        self.submit_keeping(batch, true, false)
    }

    /// [`TrainStep::submit`], after which the outputs can be read where `kept`; it makes an update where it is the
    /// `last` one of those that are accumulated.
    pub(crate) fn submit_keeping<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
        kept: bool,
        last: bool,
    ) -> Result<Option<N::Elem>> {
        self.post(&batch.inputs, &batch.targets, kept, last)?;
        if self.memories.is_full() { self.receive() } else { Ok(None) }
    }

    /// Waits for the oldest step under way and returns its loss; `None` where no step is under way.
    ///
    /// # Errors
    /// If a label was out of range, or the device is lost.
    pub fn receive(&mut self) -> Result<Option<N::Elem>> {
        self.memories.wait(self.net.store_mut(), &mut self.updates.state)
    }

    fn post<S, R>(
        &mut self,
        inputs: &Tensor<S, N::InputElement, N::Device>,
        targets: &Tensor<R, T, N::Device>,
        kept: bool,
        last: bool,
    ) -> Result<()>
    where
        S: BatchedShape,
        R: BatchedShape,
    {
        check_capacity("a training step", inputs.batch(), self.memories.capacity)?;
        let extent = extent(self.net, inputs.batch());
        let store = self.net.store_mut();
        let pass = Pass::<N, L, Y, T> {
            constants: self.constants.as_ref(),
            ..Pass::of(extent, inputs, targets, &self.loss)?
        };
        self.memories.post(
            store,
            &mut self.updates,
            Batch { extent, last, kept },
            |bound| pass.bind(bound),
            |run| pass.forward_backward(run),
        )
    }

    /// Copies the outputs of the last batch whose loss was returned, from before the update, into `out`; returns how
    /// many elements there are.
    ///
    /// # Errors
    /// If no batch has been run, `out` is too short, or the device is lost.
    pub fn read_outputs(&self, out: &mut [N::Elem]) -> Result<usize> {
        self.memories.read_outputs(&self.net.store().device, out)
    }

    /// The norm of the gradients of the last batch whose loss was returned, where [`Rules::gradient_norms`] wants it or
    /// [`Rules::clip_norm`] needs it, and an update was due. Where it is infinite or not a number, none was made.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::MiniBatch, dim::D, loss::Mse, network::Network, optim::Sgd, random::Seed};
    /// # let batch = MiniBatch::<(D<2>,), (D<1>,), f32, f32>::zeros_on(Default::default(), 4)?;
    /// # let mut net = Net::new(Seed(1));
    /// let mut step = net.train_step(Mse, Sgd::new(0.1), 4)?.gradient_norms();
    /// step.run(&batch)?;
    /// assert!(step.gradient_norm().is_some_and(|norm| norm > 0.0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn gradient_norm(&self) -> Option<f64> {
        self.memories.norm()
    }

    /// The network, as the last step left it.
    pub fn net(&self) -> &N {
        self.net
    }

    /// The network, to be changed between steps: to load weights, for example.
    pub fn net_mut(&mut self) -> &mut N {
        self.net
    }

    /// The loss, which stays as it is while the step lives: [`Loss`].
    pub fn loss(&self) -> &L {
        &self.loss
    }

    /// The optimiser, to change its learning rate between steps.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.updates.optimizer
    }

    /// The learning rate of the next update, but for factors of single parameters.
    pub fn rate(&self) -> f64 {
        self.updates.rate()
    }

    /// Offset and length of the parameters that updates leave as they are.
    pub(crate) fn frozen(&self) -> &[(usize, usize)] {
        self.updates.parts().map_or(&[], |parts| &parts.frozen)
    }

    /// Finds now what is wrong with the rules, instead of at the first step.
    pub(crate) fn prepared(mut self) -> Result<Self> {
        self.updates.prepare::<N>(&self.net.store().device)?;
        Ok(self)
    }

    /// Makes steps come to nothing that were under way behind one whose loss, or the norm of whose gradients, is not
    /// finite: the parameters stay those which it began with.
    pub(crate) fn halting(mut self) -> Self {
        self.updates.halts = N::Device::AHEAD > 0;
        self
    }

    /// How many whole epochs have been trained, for a schedule that counts them.
    pub(crate) fn set_epochs(&mut self, epochs: u64) {
        self.updates.state.epochs = epochs;
    }

    /// The number of bytes of parameters' gradients, workspace, optimiser state and the loss's constants.
    pub fn memory_bytes(&self) -> usize {
        let device = &self.net.store().device;
        let kept = self.updates.len(device);
        let constants = self.constants.as_ref().map_or(0, |constants| device.len(constants));
        (self.memories.len(device) + kept + constants) * size_of::<N::Elem>()
    }

    /// Ends the step and returns the optimiser with its state, for [`TrainStep::resume`].
    pub fn into_state(mut self) -> (L, O, OptimizerState<Buffer<N>>) {
        self.memories.settle(self.net.store_mut(), &mut self.updates.state);
        (self.loss, self.updates.optimizer, self.updates.state)
    }
}

/// One batch on its way through forward, loss and backward.
struct Pass<'b, N: Network, L, Y, T: Element> {
    extent: Extent,
    inputs: &'b InputBuffer<N>,
    targets: &'b <N::Device as Memory>::Buffer<T>,
    loss: &'b L,
    constants: Option<&'b Buffer<N>>,
    target: PhantomData<fn(Y)>,
}

impl<'b, N, L, Y, T> Pass<'b, N, L, Y, T>
where
    N: Network,
    L: Loss<N::Elem, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    fn of<S: BatchedShape, R: BatchedShape>(
        extent: Extent,
        inputs: &'b Tensor<S, N::InputElement, N::Device>,
        targets: &'b Tensor<R, T, N::Device>,
        loss: &'b L,
    ) -> Result<Self> {
        same_batch(extent.batch, targets.batch())?;
        let (inputs, targets) = (inputs.buffer(), targets.buffer());
        Ok(Pass { extent, inputs, targets, loss, constants: None, target: PhantomData })
    }

    /// Adds inputs and targets to what is bound.
    fn bind(&self, bound: &mut Bindings<'b, N::Elem, N::Device>) {
        <N::InputElement as InputElement<N::Elem>>::bind(0, self.inputs, bound);
        self.loss.bind(self.targets, bound);
        bound.inputs[BESIDE + 1] = self.constants;
    }

    /// Leaves the loss and the outputs in the workspace.
    fn forward_backward(&self, run: &mut RunOf<'_, N>) -> Left {
        let e = self.extent;
        let inputs = Spans::inputs::<N>(e);
        N::train_forward(run, e, inputs.as_slice());
        let outputs = N::train_output(e, 0);
        let loss = self.loss.value_and_gradient(
            run,
            e.batch,
            outputs,
            N::output_gradient(e, 0),
            N::train_workspace(e),
        );
        N::backward(run, e, inputs.as_slice());
        Left { loss, outputs }
    }
}

pub(crate) fn same_batch(inputs: usize, targets: usize) -> Result<()> {
    if inputs == targets {
        return Ok(());
    }
    Err(Error::Size {
        what: "targets of a batch".to_owned(),
        expected: format!("{inputs} samples, as many as inputs"),
        found: targets.to_string(),
    })
}

pub(crate) fn value_and_gradients<N, L, S, R, T>(
    net: &N,
    loss: &L,
    inputs: &Tensor<S, N::InputElement, N::Device>,
    targets: &Tensor<R, T, N::Device>,
) -> Result<(N::Elem, Gradients<N>)>
where
    N: Network,
    L: Loss<N::Elem, N::Output, R::Sample, T>,
    S: BatchedShape,
    R: BatchedShape,
    T: Element,
{
    let store = net.store();
    let batch = inputs.batch();
    let (mut grads, mut workspace) =
        Memories::<N>::new(&store.device, batch, |batch| loss.workspace(batch))?.into_buffers();
    let constants = constants(&store.device, &loss.constants()?)?;
    let pass = Pass::<N, L, R::Sample, T> {
        constants: constants.as_ref(),
        ..Pass::of(extent(net, batch), inputs, targets, loss)?
    };
    // A copy: the running statistics of the network are not this call's to change.
    let mut state = store.device.zeros(N::STATE_LEN)?;
    let mut values = vec![N::Elem::ZERO; N::STATE_LEN];
    store.device.read(&store.state, 0, &mut values)?;
    store.device.write(&mut state, 0, &values)?;
    let mut bound = Bindings {
        state: Access::Write(&mut state),
        grads: Access::Write(&mut grads),
        workspace: Access::Write(&mut workspace),
        counter: Counter { seed: store.seed.0, step: store.steps, first_sample: 0 },
        ..bindings(net)
    };
    pass.bind(&mut bound);
    let mut run = store.device.run(bound);
    let left = pass.forward_backward(&mut run);
    run.finish()?;
    let mut loss = [N::Elem::ZERO];
    store.device.read(&workspace, left.loss.offset, &mut loss)?;
    Ok((loss[0], Gradients::of_parameters(net, grads)?))
}
