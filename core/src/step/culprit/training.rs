//! What a training step is asked for where its loss or its gradients are not finite.

use super::search::{GRADES, made, search};
use super::{Culprit, Part};
use crate::data::MiniBatch;
use crate::device::{Access, Bindings, Counter, Device, Made, Memory, Run, Slot, Watch};
use crate::element::{Element, Float};
use crate::error::Result;
use crate::loss::Loss;
use crate::module::Spans;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::shape::{SameSample, SampleShape};
use crate::step::{Buffer, Pass, RunOf, TrainStep, check_capacity, extent};

impl<N, L, O, Y, T> TrainStep<'_, N, L, O, Y, T>
where
    N: Network,
    L: Loss<N::Elem, N::Output, Y, T>,
    O: Optimizer,
    Y: SampleShape,
    T: Element,
{
    /// Says what makes the loss of a batch infinite or not a number, where it is: a sample's inputs or targets, a
    /// parameter, or the first step of the forward pass whose output is not finite, by its text in
    /// [`Module::PLAN`](crate::module::Module::PLAN). For the batch of the step before: later ones have changed the
    /// parameters. The loss's own formula is left where all outputs are finite. Inputs of minus infinity, which masks are
    /// made of, are not the cause where a later step is; they are named beside it.
    ///
    /// The batch runs once more, and the network stays as it is. Steps under way are waited for, and their losses dropped.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [2] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::MiniBatch, dim::D, loss::Mse, network::Network, optim::Sgd, random::Seed};
    /// # use netform::tensor::Tensor;
    /// # let mut net = Net::new(Seed(1));
    /// let batch = MiniBatch::<(D<2>,), (D<1>,), f32, f32> {
    ///     inputs: Tensor::from_vec(vec![0.1, 0.2, f32::NAN, 0.4])?,
    ///     targets: Tensor::from_vec(vec![1.0, 2.0])?,
    /// };
    /// let mut step = net.train_step(Mse, Sgd::new(0.1), 2)?;
    /// if !step.run(&batch)?.is_finite() {
    ///     let cause = step.explain(&batch)?;
    ///     assert_eq!(cause, "number 0 of the inputs of sample 1 of the batch is NaN (counted from 0)");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the batch is larger than the step's capacity, the device has not enough memory, or it is lost.
    pub fn explain<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<String> {
        Ok(self.culprit(batch)?.to_string())
    }

    /// Whether an update was due with the last batch whose loss was returned.
    pub(crate) fn has_updated(&self) -> bool {
        self.memories.has_updated()
    }

    /// [`TrainStep::explain`], with what is known of it.
    pub(crate) fn culprit<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Culprit> {
        let frozen = self.frozen().to_vec();
        let mut passes = self.passes_on(batch)?;
        search(passes.net, &frozen, batch, Part::Forward, |watch, grades| {
            passes.run(Some((watch, grades)), |run, pass| {
                N::train_forward(run, pass.extent, Spans::inputs::<N>(pass.extent).as_slice());
            })
        })
    }

    /// What makes the gradients of a batch infinite or not a number, whose loss is finite: the step of the backward
    /// pass whose output is the first that is. The network stays as it is.
    pub(crate) fn culprit_of_gradients<X: SampleShape + SameSample<N::Input>>(
        &mut self,
        batch: &MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Culprit> {
        let frozen = self.frozen().to_vec();
        // No update takes these: they count as 0.
        let unused = |made: &Made| {
            let of = |&(offset, len): &(usize, usize)| {
                (offset..offset + len).contains(&made.span.offset)
            };
            made.span.slot == Slot::Grads && frozen.iter().any(of)
        };
        let mut passes = self.passes_on(batch)?;
        passes.forward()?;
        let device = &passes.net.store().device;
        let seed = N::output_gradient(passes.pass.extent, 0);
        let mut values = vec![N::Elem::ZERO; seed.len];
        device.read(passes.workspace, seed.offset, &mut values)?;
        if let Some(value) = values.iter().find(|x| !x.is_finite()) {
            return Ok(Culprit::Seed { value: value.to_f64() });
        }
        let cause = made::<N>(device, Part::Backward, false, unused, |watch, grades| {
            // A backward pass leaves nothing for another one.
            passes.forward()?;
            passes.run(Some((watch, grades)), |run, pass| {
                N::backward(run, pass.extent, Spans::inputs::<N>(pass.extent).as_slice());
            })
        })?;
        Ok(cause.unwrap_or(Culprit::Gradients))
    }

    fn passes_on<'p, X: SampleShape + SameSample<N::Input>>(
        &'p mut self,
        batch: &'p MiniBatch<X, Y, N::InputElement, T, N::Device>,
    ) -> Result<Passes<'p, N, L, Y, T>> {
        self.memories.settle(self.net.store_mut(), &mut self.updates.state);
        let samples = batch.inputs.batch();
        check_capacity("a training step", samples, self.memories.capacity)?;
        let store = self.net.store();
        let mut statistics = vec![N::Elem::ZERO; N::STATE_LEN];
        store.device.read(&store.state, 0, &mut statistics)?;
        let pass = Pass::<N, L, Y, T> {
            constants: self.constants.as_ref(),
            ..Pass::of(extent(self.net, samples), &batch.inputs, &batch.targets, &self.loss)?
        };
        Ok(Passes {
            net: self.net,
            pass,
            grads: &mut self.memories.grads,
            workspace: &mut self.memories.workspace,
            state: store.device.zeros(N::STATE_LEN)?,
            statistics,
        })
    }
}

/// Passes of a training step on one batch, which leave the network as it is.
struct Passes<'p, N: Network, L, Y, T: Element> {
    net: &'p N,
    pass: Pass<'p, N, L, Y, T>,
    grads: &'p mut Buffer<N>,
    workspace: &'p mut Buffer<N>,
    /// Running statistics may move in a pass: those of a copy.
    state: Buffer<N>,
    statistics: Vec<N::Elem>,
}

impl<N, L, Y, T> Passes<'_, N, L, Y, T>
where
    N: Network,
    L: Loss<N::Elem, N::Output, Y, T>,
    Y: SampleShape,
    T: Element,
{
    /// Forward, and the loss with its gradient.
    fn forward(&mut self) -> Result<()> {
        self.run(None, |run, pass| {
            let e = pass.extent;
            N::train_forward(run, e, Spans::inputs::<N>(e).as_slice());
            let (output, gradient) = (N::train_output(e, 0), N::output_gradient(e, 0));
            let base = N::train_workspace(e);
            pass.loss.value_and_gradient(run, e.batch, output, gradient, base);
        })
    }

    fn run(
        &mut self,
        watched: Option<(Watch<'_>, &mut Buffer<N>)>,
        kernels: impl FnOnce(&mut RunOf<'_, N>, &Pass<'_, N, L, Y, T>),
    ) -> Result<()> {
        let store = self.net.store();
        store.device.write(&mut self.state, 0, &self.statistics)?;
        let mut bound = Bindings {
            params: Access::Read(&store.params),
            state: Access::Write(&mut self.state),
            grads: Access::Write(self.grads),
            workspace: Access::Write(self.workspace),
            counter: Counter { seed: store.seed.0, step: store.steps, first_sample: 0 },
            ..Bindings::default()
        };
        if let Some((watch, grades)) = watched {
            bound.watch = Some(watch);
            bound.outputs[usize::from(GRADES)] = Access::Write(grades);
        }
        self.pass.bind(&mut bound);
        let mut run = store.device.run(bound);
        kernels(&mut run, &self.pass);
        run.finish()
    }
}
