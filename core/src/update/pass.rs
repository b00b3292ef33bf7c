//! One update as calls of kernels: from the gradients of a batch to the new parameters, with the buffers it needs.

use super::parts::Parts;
use super::rules::Rules;
use crate::device::{Access, Arg, Bindings, Device, Fold, Kernels, Memory, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::module::{Extent, Module};
use crate::optim::{Optimizer, Part, each};
use crate::step::{Batch, Buffer, OptimizerState};

/// An optimiser with its rules, and what both keep between the updates of one network.
pub(crate) struct Updates<O, B> {
    pub optimizer: O,
    pub rules: Rules,
    pub state: OptimizerState<B>,
    /// Whether nothing is updated any more after a loss, or gradients, that are not finite: see [`HALT`].
    pub halts: bool,
    /// What names mean in the network; `None` until an update needs it, and after a change of the rules.
    parts: Option<Parts>,
    /// How often the rules may have become others.
    revision: u64,
}

/// Where [`OptimizerState::scalars`] are bound.
const SCALARS: Slot = Slot::Output(1);
/// A copy of the loss, where a step reports more than that.
const LOSS: Span = Span::new(SCALARS, 0, 1);
/// The sum of the gradients' squares.
const SQUARES: Span = Span::new(SCALARS, 1, 1);
/// What a step reports where that is more than the loss.
const REPORT: Span = Span::new(SCALARS, 0, 2);
/// What the gradients are multiplied by.
const FACTOR: Span = Span::new(SCALARS, 2, 1);
/// How many samples the sum of gradients is of.
const SAMPLES: Span = Span::new(SCALARS, 3, 1);
/// 0, or the first loss, or sum of squares, that was not finite: steps that were under way behind it come to nothing then.
const HALT: Span = Span::new(SCALARS, 4, 1);
/// Where [`OptimizerState::sum`] is bound.
const SUM: Slot = Slot::Output(2);
/// Where [`OptimizerState::average`] is bound.
const AVERAGE: Slot = Slot::Output(3);
/// How many scalars there are.
pub(crate) const COUNT: usize = 5;

impl<O: Optimizer, B> Updates<O, B> {
    pub fn new(optimizer: O, rules: Rules, state: OptimizerState<B>) -> Self {
        Updates { optimizer, rules, state, halts: false, parts: None, revision: 0 }
    }

    /// The rules, to be changed.
    pub fn rules_mut(&mut self) -> &mut Rules {
        self.parts = None;
        &mut self.rules
    }

    /// What names mean in the network.
    pub fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    /// Whether gradients are changed before the optimiser's formula.
    pub fn changes_gradients(&self) -> bool {
        let rules = &self.rules;
        rules.adds_squares() || rules.clip_value.is_some() || rules.gathers()
    }

    /// Exchanges the network's parameters with their average.
    pub fn exchange_average<N: Module<Device: Memory<Buffer<N::Elem> = B>>>(
        &mut self,
        net: &mut N,
    ) {
        if let Some(average) = self.state.average.as_mut().filter(|_| self.state.averaged > 0) {
            std::mem::swap(average, &mut net.store_mut().params);
        }
    }

    /// The learning rate of the next update, but for factors of single parameters.
    pub fn rate(&self) -> f64 {
        self.optimizer.rate() * self.rules.factor(self.state.steps, self.state.epochs)
    }

    /// That the optimiser's state is what the optimiser keeps, and the rules fit the network; allocates what is
    /// missing. Nothing, in steady state.
    pub fn prepare<N: Module<Device: Memory<Buffer<N::Elem> = B>>>(
        &mut self,
        device: &N::Device,
    ) -> Result<()> {
        let expected = self.optimizer.slots() * N::PARAM_LEN;
        let slots = match &mut self.state.slots {
            Some(slots) => slots,
            none => none.insert(device.zeros::<N::Elem>(expected)?),
        };
        let found = device.len::<N::Elem>(slots);
        if found != expected {
            return Err(Error::Size {
                what: "the optimiser's state, made for another optimiser (a new training step makes its own)"
                    .to_owned(),
                expected: format!("{expected} numbers"),
                found: found.to_string(),
            });
        }
        if self.parts.is_some() {
            return Ok(());
        }
        self.rules.check()?;
        let parts = Parts::of::<N>(&self.rules, self.optimizer.decays())?;
        let missing = |wanted: bool, buffer: &Option<B>| wanted && buffer.is_none();
        let scalars = self.rules.adds_squares() || self.halts || self.rules.gathers();
        if missing(scalars, &self.state.scalars) {
            self.state.scalars = Some(device.zeros::<N::Elem>(COUNT)?);
        } else if let Some(scalars) = &mut self.state.scalars {
            // Of an earlier training, which may have come to a bad end.
            device.write(scalars, HALT.offset, &[N::Elem::ZERO])?;
        }
        if missing(self.rules.gathers(), &self.state.sum) {
            self.state.sum = Some(device.zeros::<N::Elem>(N::PARAM_LEN)?);
        }
        if missing(self.rules.average.is_some(), &self.state.average) {
            self.state.average = Some(device.zeros::<N::Elem>(N::PARAM_LEN)?);
        }
        self.parts = Some(parts);
        self.revision += 1;
        Ok(())
    }

    /// The pass of the next batch, and what is kept. [`Updates::prepare`] comes before.
    pub fn split(
        &mut self,
        all: usize,
        batch: Batch,
    ) -> Result<(Pass<'_, O>, &mut OptimizerState<B>)> {
        let Updates { optimizer, rules, state, halts, parts, revision } = self;
        let Some(parts) = parts else {
            return Err(Error::Invalid("an update that was not prepared".to_owned()));
        };
        let gathered = state.gathered + 1;
        let pass = Pass {
            optimizer,
            rules,
            parts,
            all,
            step: state.steps + 1,
            rate: rules.factor(state.steps, state.epochs),
            samples: batch.extent.batch,
            first: gathered == 1,
            updates: batch.last || gathered >= rules.accumulate.unwrap_or(1),
            averaged: state.averaged,
            halts: *halts,
            revision: *revision,
        };
        Ok((pass, state))
    }

    /// The number of elements that are kept.
    pub fn len<E: Float, D: Device<E, Buffer<E> = B>>(&self, device: &D) -> usize {
        let kept = self.state.buffers().into_iter().filter_map(|(_, buffer)| buffer.as_ref());
        kept.map(|buffer| device.len::<E>(buffer)).sum()
    }
}

impl<B> OptimizerState<B> {
    /// All that is kept, by the names that a file has for it.
    pub(crate) fn buffers(&self) -> [(&'static str, &Option<B>); 4] {
        let OptimizerState { slots, scalars, sum, average, .. } = self;
        [("optimizer", slots), ("scalars", scalars), ("sum", sum), ("average", average)]
    }

    /// [`OptimizerState::buffers`], to be filled.
    pub(crate) fn buffers_mut(&mut self) -> [(&'static str, &mut Option<B>); 4] {
        let OptimizerState { slots, scalars, sum, average, .. } = self;
        [("optimizer", slots), ("scalars", scalars), ("sum", sum), ("average", average)]
    }

    /// Binds what is kept; returns what is counted, for when there is another batch.
    pub(crate) fn bind<'a, E: Float, D: Device<E, Buffer<E> = B>>(
        &'a mut self,
        bound: &mut Bindings<'a, E, D>,
    ) -> Counts<'a> {
        bound.optimizer = self.slots.as_mut().map_or(Access::None, Access::Write);
        bound.outputs[1] = self.scalars.as_mut().map_or(Access::None, Access::Write);
        bound.outputs[2] = self.sum.as_mut().map_or(Access::None, Access::Write);
        bound.outputs[3] = self.average.as_mut().map_or(Access::None, Access::Write);
        Counts {
            steps: &mut self.steps,
            gathered: &mut self.gathered,
            averaged: &mut self.averaged,
        }
    }
}

/// What is counted of updates.
pub(crate) struct Counts<'a> {
    steps: &'a mut u64,
    gathered: &'a mut u64,
    averaged: &'a mut u64,
}

impl Counts<'_> {
    /// Counts a pass that has been posted.
    pub fn add<O>(self, pass: &Pass<'_, O>) {
        *self.gathered = if pass.updates { 0 } else { *self.gathered + 1 };
        *self.steps += u64::from(pass.updates);
        *self.averaged += u64::from(pass.updates);
    }
}

/// What an update needs to know, beside the buffers that are bound.
pub(crate) struct Pass<'u, O> {
    pub optimizer: &'u O,
    pub rules: &'u Rules,
    pub parts: &'u Parts,
    /// The length of the parameter buffer.
    pub all: usize,
    /// The number of the update, from 1.
    pub step: u64,
    /// The schedule's factor.
    pub rate: f64,
    /// The samples of the batch.
    pub samples: usize,
    /// Whether the batch is the first of those that make an update together.
    pub first: bool,
    /// Whether it is the last, and the update follows.
    pub updates: bool,
    /// Of how many updates the average is so far.
    pub averaged: u64,
    /// Whether nothing is updated any more after a loss, or gradients, that are not finite.
    pub halts: bool,
    /// The number of the rules: others have another one.
    pub revision: u64,
}

impl<O: Optimizer> Pass<'_, O> {
    /// The number on whose being finite it depends whether the gradients count.
    pub fn gate<E: Float, K: Kernels<E>>(&self, k: &mut K, loss: Span) -> Span {
        if self.halts { both(k, HALT, loss) } else { loss }
    }

    /// The number on whose being finite the update depends: the gate before, and the gradients where their squares have
    /// been added up.
    pub fn second_gate<E: Float, K: Kernels<E>>(&self, k: &mut K, gate: Span) -> Span {
        if self.adds_squares() { both(k, gate, SQUARES) } else { gate }
    }

    /// Whether the squares of the gradients are added up: the step reports the sum.
    pub fn adds_squares(&self) -> bool {
        self.updates && self.rules.adds_squares()
    }

    /// What the step reports: the loss, and the sum of the gradients' squares where there is one.
    pub fn report<E: Float, K: Kernels<E>>(&self, k: &mut K, loss: Span) -> Span {
        if !self.adds_squares() {
            return loss;
        }
        k.map([LOSS], [1; 4], [each(loss)], [], |[loss], []| [loss], &["a0"]);
        REPORT
    }

    /// Empties the sum of gradients before the first batch, whatever comes of that.
    pub fn begin<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        if self.first && !self.updates {
            k.fill(Span::new(SUM, 0, self.all), E::ZERO);
            k.fill(SAMPLES, E::ZERO);
        }
    }

    /// Whether something is done with the gradients before it is known whether there is an update.
    pub fn takes(&self) -> bool {
        self.gathers() || self.adds_squares()
    }

    /// Whether the gradients are those of several batches.
    fn gathers(&self) -> bool {
        !(self.first && self.updates)
    }

    /// Takes the gradients of a batch in.
    pub fn take<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        if self.gathers() {
            self.gather(k);
        }
        if self.adds_squares() {
            for &(offset, len) in &self.parts.frozen {
                k.fill(Span::new(Slot::Grads, offset, len), E::ZERO);
            }
            let (grads, grid) = (Span::new(Slot::Grads, 0, self.all), [1, 1, 1, self.all]);
            let square = |[x]: [E; 1], []: [E; 0]| x * x;
            k.reduce(SQUARES, Fold::Sum, grid, [true; 4], [each(grads)], [], square, &["a0 * a0"]);
        }
    }

    /// Updates the parameters if the batch is the last one. Only here are numbers that change from step to step.
    pub fn finish<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        if self.updates {
            self.update(k);
        }
    }

    /// Adds to the sum of gradients; makes their mean of the sum where the batch is the last one.
    fn gather<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        let (grads, sum) = (Span::new(Slot::Grads, 0, self.all), Span::new(SUM, 0, self.all));
        let (grid, count) = ([1, 1, 1, self.all], [E::from_usize(self.samples)]);
        k.map([SAMPLES], [1; 4], [each(SAMPLES)], count, |[n], [c]| [n + c], &["a0 + c0"]);
        if !self.updates {
            k.map(
                [sum],
                grid,
                [each(sum), each(grads)],
                count,
                #[inline(always)]
                |[sum, g], [count]| [sum + count * g],
                &["a0 + c0 * a1"],
            );
            return;
        }
        let samples = Arg::View { span: SAMPLES, strides: [0; 4] };
        k.map(
            [grads],
            grid,
            [each(sum), each(grads), samples],
            count,
            #[inline(always)]
            |[sum, g, samples], [count]| [(sum + count * g) / samples],
            &["(a0 + c0 * a1) / a2"],
        );
    }

    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        self.clip(k);
        for run in &self.parts.updated {
            let part = Part {
                offset: run.offset,
                len: run.len,
                all: self.all,
                step: self.step,
                rate: self.rate * run.rate,
                decay: run.decay,
            };
            self.optimizer.update(k, &part);
        }
        if let Some(decay) = self.rules.average {
            let (w, average) =
                (Span::new(Slot::Params, 0, self.all), Span::new(AVERAGE, 0, self.all));
            let kept = if self.averaged == 0 { 0.0 } else { decay };
            k.map(
                [average],
                [1, 1, 1, self.all],
                [each(average), each(w)],
                [kept, 1.0 - kept].map(E::from_f64),
                #[inline(always)]
                |[average, w], [kept, fresh]| [kept * average + fresh * w],
                &["c0 * a0 + c1 * a1"],
            );
        }
    }

    fn clip<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        let grads = Span::new(Slot::Grads, 0, self.all);
        let grid = [1, 1, 1, self.all];
        if let Some(max) = self.rules.clip_norm {
            k.map(
                [FACTOR],
                [1; 4],
                [each(SQUARES)],
                [max, 1e-6, 1.0].map(E::from_f64),
                |[squares], [max, eps, one]| [(max / (squares.sqrt() + eps)).min(one)],
                &["min(c0 / (sqrt(a0) + c1), c2)"],
            );
            let factor = Arg::View { span: FACTOR, strides: [0; 4] };
            k.map(
                [grads],
                grid,
                [each(grads), factor],
                [],
                #[inline(always)]
                |[g, factor], []| [factor * g],
                &["a1 * a0"],
            );
        }
        if let Some(max) = self.rules.clip_value {
            k.map(
                [grads],
                grid,
                [each(grads)],
                [-max, max].map(E::from_f64),
                // What is not a number stays so: `min` and `max` would hide it.
                #[inline(always)]
                |[g], [low, high]| {
                    [if g > high {
                        high
                    } else if g < low {
                        low
                    } else {
                        g
                    }]
                },
                &["select(select(a0, c0, a0 < c0), c1, a0 > c1)"],
            );
        }
    }
}

/// Whether two numbers are finite, as one: [`HALT`] becomes 0, or the first of them that is not.
fn both<E: Float, K: Kernels<E>>(k: &mut K, first: Span, second: Span) -> Span {
    k.map(
        [HALT],
        [1; 4],
        [each(first), each(second)],
        [],
        |[first, second], []| match (first.is_finite(), second.is_finite()) {
            (false, _) => [first],
            (true, false) => [second],
            (true, true) => [E::ZERO],
        },
        &["select(select(0.0, a1, (bitcast<u32>(a1) & 0x7f800000u) == 0x7f800000u), a0, (bitcast<u32>(a0) & 0x7f800000u) == 0x7f800000u)"],
    );
    HALT
}

/// Copies gradients from where they are read only.
pub(crate) fn copy_gradients<E: Float, K: Kernels<E>>(k: &mut K, from: Slot, len: usize) {
    let input = each(Span::new(from, 0, len));
    k.copy(Span::new(Slot::Grads, 0, len), 0, [0, 0, 0, 1], [1, 1, 1, len], input);
}

/// One update of all parameters by gradients in a buffer of their own.
pub(crate) fn update<N: Module, O: Optimizer>(
    net: &mut N,
    updates: &mut Updates<O, Buffer<N>>,
    gradients: &Buffer<N>,
    own: Option<&mut Buffer<N>>,
) -> Result<()> {
    let store = net.store_mut();
    let batch = Batch { extent: Extent::of(1), last: false, kept: false };
    let (pass, state) = updates.split(N::PARAM_LEN, batch)?;
    let mut bound = Bindings { params: Access::Write(&mut store.params), ..Bindings::default() };
    let copied = own.is_some();
    bound.grads = own.map_or(Access::Read(gradients), Access::Write);
    bound.inputs[0] = copied.then_some(gradients);
    let counts = state.bind(&mut bound);
    let mut run = store.device.run(bound);
    if copied {
        copy_gradients(&mut run, Slot::Input(0), N::PARAM_LEN);
    }
    pass.begin(&mut run);
    pass.take(&mut run);
    pass.finish(&mut run);
    crate::device::Run::finish(run)?;
    counts.add(&pass);
    store.steps += 1;
    Ok(())
}
