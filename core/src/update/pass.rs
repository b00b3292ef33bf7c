//! One update as calls of kernels: from the gradients of a batch to the new parameters, with the buffers it needs.

use super::parts::Parts;
use super::rules::Rules;
use crate::device::{Access, Arg, Bindings, Device, Fold, Kernels, Memory, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::optim::{Optimizer, Part, each};
use crate::step::{Buffer, OptimizerState};

/// An optimiser with its rules, and what both keep between the updates of one network.
pub(crate) struct Updates<O, B> {
    pub optimizer: O,
    pub rules: Rules,
    pub state: OptimizerState<B>,
    /// What names mean in the network; `None` until an update needs it, and after a change of the rules.
    parts: Option<Parts>,
}

/// Where [`OptimizerState::scalars`] are bound.
const SCALARS: Slot = Slot::Output(1);
/// The sum of the gradients' squares.
const SQUARES: Span = Span::new(SCALARS, 0, 1);
/// What the gradients are multiplied by.
const FACTOR: Span = Span::new(SCALARS, 1, 1);
/// How many scalars there are.
const COUNT: usize = 4;

impl<O: Optimizer, B> Updates<O, B> {
    pub fn new(optimizer: O, rules: Rules, state: OptimizerState<B>) -> Self {
        Updates { optimizer, rules, state, parts: None }
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
        self.rules.clip_norm.is_some() || self.rules.clip_value.is_some()
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
        let slots = match self.state.slots.take() {
            Some(slots) => slots,
            None => device.zeros::<N::Elem>(expected)?,
        };
        let found = device.len::<N::Elem>(&slots);
        self.state.slots = Some(slots);
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
        if self.rules.clip_norm.is_some() && self.state.scalars.is_none() {
            self.state.scalars = Some(device.zeros::<N::Elem>(COUNT)?);
        }
        self.parts = Some(parts);
        Ok(())
    }

    /// The pass of the next update, what names mean, and what is kept. [`Updates::prepare`] comes before.
    pub fn split(&mut self, all: usize) -> Result<(Pass<'_, O>, &Parts, &mut OptimizerState<B>)> {
        let Updates { optimizer, rules, state, parts } = self;
        let Some(parts) = parts else {
            return Err(Error::Invalid("an update that was not prepared".to_owned()));
        };
        let rate = rules.factor(state.steps, state.epochs);
        let pass = Pass { optimizer, rules, parts, all, step: state.steps + 1, rate };
        Ok((pass, parts, state))
    }

    /// The number of elements that are kept.
    pub fn len<E: Float, D: Device<E, Buffer<E> = B>>(&self, device: &D) -> usize {
        let buffers = [&self.state.slots, &self.state.scalars];
        buffers.into_iter().flatten().map(|buffer| device.len::<E>(buffer)).sum()
    }
}

impl<B> OptimizerState<B> {
    /// Binds what is kept; returns the number of updates, for when there is another one.
    pub(crate) fn bind<'a, E: Float, D: Device<E, Buffer<E> = B>>(
        &'a mut self,
        bound: &mut Bindings<'a, E, D>,
    ) -> &'a mut u64 {
        bound.optimizer = self.slots.as_mut().map_or(Access::None, Access::Write);
        bound.outputs[1] = self.scalars.as_mut().map_or(Access::None, Access::Write);
        &mut self.steps
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
}

impl<O: Optimizer> Pass<'_, O> {
    /// Updates parameters by the gradients of a batch.
    pub fn run<E: Float, K: Kernels<E>>(&self, k: &mut K) {
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
    }

    fn clip<E: Float, K: Kernels<E>>(&self, k: &mut K) {
        let grads = Span::new(Slot::Grads, 0, self.all);
        let grid = [1, 1, 1, self.all];
        if let Some(max) = self.rules.clip_norm {
            for &(offset, len) in &self.parts.frozen {
                k.fill(Span::new(Slot::Grads, offset, len), E::ZERO);
            }
            let square = |[x]: [E; 1], []: [E; 0]| x * x;
            k.reduce(SQUARES, Fold::Sum, grid, [true; 4], [each(grads)], [], square, &["a0 * a0"]);
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
    let (pass, _, state) = updates.split(N::PARAM_LEN)?;
    let mut bound = Bindings { params: Access::Write(&mut store.params), ..Bindings::default() };
    let copied = own.is_some();
    bound.grads = own.map_or(Access::Read(gradients), Access::Write);
    bound.inputs[0] = copied.then_some(gradients);
    let steps = state.bind(&mut bound);
    let mut run = store.device.run(bound);
    if copied {
        copy_gradients(&mut run, Slot::Input(0), N::PARAM_LEN);
    }
    pass.run(&mut run);
    crate::device::Run::finish(run)?;
    *steps += 1;
    store.steps += 1;
    Ok(())
}
