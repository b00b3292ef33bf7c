//! Networks in evaluation mode: predictions, and the loss that validation adds up.

use std::marker::PhantomData;

use crate::data::MiniBatch;
use crate::device::{Access, Device, Memory, Run, Slot, Span, Watch};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::feed::{BESIDE, Feed, InputElement, Tensors};
use crate::loss::{Loss, constants};
use crate::module::{Extent, Module, Spans};
use crate::network::{Network, bindings};
use crate::shape::{BatchedShape, SameSample, SampleShape};
use crate::step::{
    Buffer, Culprit, GRADES, InputBuffer, OutputBatch, Part, RunOf, check_capacity, check_size,
    extent, room, same_batch, search,
};
use crate::tensor::Tensor;

/// Inference with its own workspace: [`Predictor::run`] allocates nothing in steady state.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::dim::{Batch, D};
/// use netform::network::Network;
/// use netform::random::Seed;
/// use netform::tensor::Tensor;
///
/// let net = Net::new(Seed(1));
/// let mut predictor = net.predictor(4)?;
/// let x = Tensor::<(Batch, D<2>)>::from_vec(vec![0.1, 0.9])?;
/// assert_eq!(predictor.run(&x)?.to_vec().len(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Predictor<'n, N: Network> {
    net: &'n N,
    workspace: Buffer<N>,
    output: Tensor<OutputBatch<N>, N::Elem, N::Device>,
    capacity: usize,
}

impl<'n, N: Network> Predictor<'n, N> {
    /// Inference for batches of up to `batch` samples.
    ///
    /// # Errors
    /// If the device has not enough memory, or `batch` is 0.
    pub fn new(net: &'n N, batch: usize) -> Result<Self> {
        if batch == 0 {
            return Err(Error::Invalid("a predictor runs at least one sample; found 0".to_owned()));
        }
        let device = net.store().device.clone();
        check_size(&device, N::infer_workspace(Extent::unit()).max(N::Output::NUMEL), batch)?;
        let shape = OutputBatch::<N>::with_batch(batch)
            .ok_or_else(|| Error::Invalid(format!("no batch of {batch} samples")))?;
        Ok(Predictor {
            net,
            workspace: room(&device, &format!("a predictor of `{}`", N::NAME), batch, |batch| {
                N::infer_workspace(Extent::of(batch))
            })?,
            output: Tensor::zeros_on(device, shape)?,
            capacity: batch,
        })
    }

    /// The network's output in evaluation mode.
    ///
    /// # Errors
    /// If the batch is empty or larger than the predictor's capacity, or the device is lost.
    pub fn run<S>(
        &mut self,
        inputs: &Tensor<S, N::InputElement, N::Device>,
    ) -> Result<&Tensor<OutputBatch<N>, N::Elem, N::Device>>
    where
        S: BatchedShape,
        S::Sample: SameSample<N::Input>,
    {
        self.run_on(inputs.batch(), inputs.buffer())
    }

    /// [`Predictor::run`] on a buffer of inputs.
    pub(crate) fn run_on(
        &mut self,
        batch: usize,
        inputs: &InputBuffer<N>,
    ) -> Result<&Tensor<OutputBatch<N>, N::Elem, N::Device>> {
        check_capacity("a predictor", batch, self.capacity)?;
        self.output.set_batch(batch)?;
        infer(self.net, batch, inputs, &mut self.workspace, self.output.buffer_mut())?;
        Ok(&self.output)
    }
}

/// One evaluation into a buffer of the right size.
fn infer<N: Network>(
    net: &N,
    batch: usize,
    inputs: &InputBuffer<N>,
    workspace: &mut Buffer<N>,
    output: &mut Buffer<N>,
) -> Result<()> {
    let e = extent(net, batch);
    let mut bound = bindings(net);
    bound.workspace = Access::Write(workspace);
    <N::InputElement as InputElement<N::Elem>>::bind(0, inputs, &mut bound);
    bound.outputs[0] = Access::Write(output);
    let mut run = net.store().device.run(bound);
    let (inputs, outputs) = (Spans::inputs::<N>(e), Spans::new().outputs::<N>(e));
    N::infer(&mut run, e, inputs.as_slice(), outputs.as_slice());
    run.finish()
}

/// What the printed `forward` calls: an evaluation with memory of its own, into one tensor or a tuple.
#[doc(hidden)]
pub fn forward<N, F, R>(net: &N, inputs: F) -> Result<R>
where
    N: Module,
    F: Feed<N>,
    R: Tensors<N::Elem, N::Device>,
{
    let device = &net.store().device;
    let mut e = inputs.extent()?;
    e.settings = net.store().settings;
    let mut outputs = R::zeros(device, |i| N::output_sizes(e, i))?;
    if e.batch == 0 {
        return Ok(outputs);
    }
    let mut workspace = device.zeros(N::infer_workspace(e))?;
    let mut bound = bindings(net);
    bound.workspace = Access::Write(&mut workspace);
    inputs.bind(&mut bound);
    outputs.write(0, &mut bound);
    let mut run = device.run(bound);
    let (from, to) = (Spans::inputs::<N>(e), Spans::new().outputs::<N>(e));
    N::infer(&mut run, e, from.as_slice(), to.as_slice());
    run.finish()?;
    Ok(outputs)
}

/// The loss of outputs that are already computed, in evaluation mode: what validation adds up.
pub struct Evaluator<N: Network, L> {
    workspace: Buffer<N>,
    output: Buffer<N>,
    /// What the loss reads beside outputs and targets.
    constants: Option<Buffer<N>>,
    capacity: usize,
    loss: PhantomData<fn(L)>,
}

impl<N: Network, L> Evaluator<N, L> {
    /// Evaluation of batches of up to `batch` samples of `net`.
    ///
    /// # Errors
    /// If a setting of the loss makes no sense, the device has not enough memory, or `batch` is 0.
    pub fn new<Y, T>(net: &N, loss: &L, batch: usize) -> Result<Self>
    where
        L: Loss<N::Elem, N::Output, Y, T>,
        Y: SampleShape,
        T: Element,
    {
        if batch == 0 {
            return Err(Error::Invalid(
                "an evaluation needs at least one sample; found 0".to_owned(),
            ));
        }
        let device = &net.store().device;
        check_size(device, N::infer_workspace(Extent::unit()).max(N::Output::NUMEL), batch)?;
        check_size(device, loss.workspace(1), batch)?;
        let words =
            |batch| N::infer_workspace(Extent::of(batch)).saturating_add(loss.workspace(batch));
        Ok(Evaluator {
            workspace: room(device, &format!("an evaluation of `{}`", N::NAME), batch, words)?,
            output: device.zeros(batch * N::Output::NUMEL)?,
            constants: constants(device, &loss.constants()?)?,
            capacity: batch,
            loss: PhantomData,
        })
    }

    /// The loss of a batch, with the constants of the loss that the evaluation was made for; its outputs go to the front of `outputs`.
    ///
    /// # Errors
    /// If the batch is empty or too large, a label is out of range, or the device is lost.
    pub fn run<Y, T>(
        &mut self,
        net: &N,
        loss: &L,
        batch: &MiniBatch<N::Input, Y, N::InputElement, T, N::Device>,
        outputs: &mut [N::Elem],
    ) -> Result<N::Elem>
    where
        L: Loss<N::Elem, N::Output, Y, T>,
        Y: SampleShape,
        T: Element,
    {
        let samples = batch.inputs.batch();
        check_capacity("an evaluation", samples, self.capacity)?;
        same_batch(samples, batch.targets.batch())?;
        let device = &net.store().device;
        let (out, e) = (output::<N>(samples), extent(net, samples));
        let mut value = out;
        self.pass(net, loss, batch, None, |run| {
            N::infer(run, e, Spans::inputs::<N>(e).as_slice(), &[out]);
            value = loss.value(run, samples, out, N::infer_workspace(e));
        })?;
        let mut scalar = [N::Elem::ZERO];
        device.read(&self.workspace, value.offset, &mut scalar)?;
        let found = outputs.len();
        let outputs = outputs.get_mut(..out.len).ok_or_else(|| Error::Size {
            what: "room for the outputs of a batch".to_owned(),
            expected: format!("{} elements", out.len),
            found: found.to_string(),
        })?;
        device.read(&self.output, 0, outputs)?;
        Ok(scalar[0])
    }

    /// What makes the loss of a batch, which has been run, infinite or not a number.
    pub(crate) fn culprit<Y, T>(
        &mut self,
        net: &N,
        loss: &L,
        batch: &MiniBatch<N::Input, Y, N::InputElement, T, N::Device>,
    ) -> Result<Culprit>
    where
        L: Loss<N::Elem, N::Output, Y, T>,
        Y: SampleShape,
        T: Element,
    {
        let samples = batch.inputs.batch();
        let (out, e) = (output::<N>(samples), extent(net, samples));
        search(net, &[], batch, Part::Inference, |watch, grades| {
            self.pass(net, loss, batch, Some((watch, grades)), |run| {
                N::infer(run, e, Spans::inputs::<N>(e).as_slice(), &[out]);
            })
        })
    }

    /// Kernels on a batch.
    fn pass<Y, T>(
        &mut self,
        net: &N,
        loss: &L,
        batch: &MiniBatch<N::Input, Y, N::InputElement, T, N::Device>,
        watched: Option<(Watch<'_>, &mut Buffer<N>)>,
        kernels: impl FnOnce(&mut RunOf<'_, N>),
    ) -> Result<()>
    where
        L: Loss<N::Elem, N::Output, Y, T>,
        Y: SampleShape,
        T: Element,
    {
        let mut bound = bindings(net);
        bound.workspace = Access::Write(&mut self.workspace);
        <N::InputElement as InputElement<N::Elem>>::bind(0, batch.inputs.buffer(), &mut bound);
        bound.outputs[0] = Access::Write(&mut self.output);
        if let Some((watch, grades)) = watched {
            bound.watch = Some(watch);
            bound.outputs[usize::from(GRADES)] = Access::Write(grades);
        }
        loss.bind(batch.targets.buffer(), &mut bound);
        bound.inputs[BESIDE + 1] = self.constants.as_ref();
        let mut run = net.store().device.run(bound);
        kernels(&mut run);
        run.finish()
    }
}

/// The outputs of a batch, which are bound as the first ones.
fn output<N: Network>(samples: usize) -> Span {
    Span::new(Slot::Output(0), 0, samples * N::Output::NUMEL)
}
