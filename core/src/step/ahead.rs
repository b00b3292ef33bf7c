//! A training step as one pass, from the forward pass to the update, and the steps that are under way.

use std::collections::VecDeque;

use super::memo::{Case, Memos};
use super::room::{check_size, room};
use super::{Buffer, OptimizerState};
use crate::device::{Access, Bindings, Counter, Device, Kernels, Memory, Run, Slot, Span};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::module::{Extent, Module};
use crate::network::{Store, name_of};
use crate::optim::{Optimizer, each};
use crate::update::{Pass, Updates};

/// A pass of a network's device.
pub(crate) type RunOf<'a, N> = <<N as Module>::Device as Device<<N as Module>::Elem>>::Run<'a>;
type TicketOf<N> = <<N as Module>::Device as Device<<N as Module>::Elem>>::Ticket;

/// Memory for one training step of up to `capacity` samples, and the steps that nobody has waited for.
pub(crate) struct Memories<N: Module> {
    pub grads: Buffer<N>,
    pub workspace: Buffer<N>,
    pub capacity: usize,
    /// The running statistics from before the step: a step that comes to nothing puts them back.
    statistics: Buffer<N>,
    memos: Memos<N>,
    under_way: VecDeque<Posted<N>>,
    /// The last step that was waited for.
    last: Option<Posted<N>>,
    /// The norm of its gradients.
    norm: Option<f64>,
    /// Whether a step has come to nothing, so that those behind it do.
    halted: bool,
}

struct Posted<N: Module> {
    ticket: TicketOf<N>,
    /// Where the outputs are in the workspace.
    outputs: Span,
    /// Whether it makes an update, unless it comes to nothing.
    updated: bool,
    /// Whether its second value is the sum of the gradients' squares.
    normed: bool,
    /// Whether steps behind it come to nothing where it does.
    halts: bool,
}

/// A batch among those that make an update together.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    /// Its samples, and what else the passes work on.
    pub extent: Extent,
    /// Whether an update is made after it, however many there are.
    pub last: bool,
    /// Whether the outputs are read before the workspace is used again.
    pub kept: bool,
}

/// Where a pass leaves its loss and the network's outputs.
pub(crate) struct Left {
    pub loss: Span,
    pub outputs: Span,
}

/// The statistics from before a step, among the pass's bound buffers.
const BEFORE: usize = 0;

/// Copies statistics: so many from an offset on.
fn copy<E: Float, K: Kernels<E>>(k: &mut K, from: Slot, to: Slot, (offset, len): (usize, usize)) {
    let input = each(Span::new(from, offset, len));
    k.copy(Span::new(to, offset, len), 0, [0, 0, 0, 1], [1, 1, 1, len], input);
}

/// All calls of a step. Returns where it leaves the outputs, and what it reports.
fn whole<'a, N: Module, O: Optimizer>(
    run: &mut RunOf<'a, N>,
    pass: &Pass<'_, O>,
    passes: impl FnOnce(&mut RunOf<'a, N>) -> Left,
) -> (Span, Span) {
    let (running, before) = (Slot::State, Slot::Output(BEFORE as u8));
    if N::STATE_LEN > 0 {
        copy(run, running, before, (0, N::STATE_LEN));
    }
    let Left { loss, outputs } = passes(run);
    let gate = pass.gate(run, loss);
    pass.begin(run);
    if pass.takes() {
        run.only_if(gate, true, |run| pass.take(run));
    }
    let gate = pass.second_gate(run, gate);
    if N::STATE_LEN > 0 {
        run.only_if(gate, false, |run| copy(run, before, running, (0, N::STATE_LEN)));
    }
    for &still in &pass.parts.still {
        copy(run, before, running, still);
    }
    // What else depends on the pass is in the step's [`Case`].
    run.only_if(gate, true, |run| run.changing(|run| pass.finish(run)));
    (outputs, pass.report(run, loss))
}

impl<N: Module> Memories<N> {
    pub fn new(
        device: &N::Device,
        capacity: usize,
        loss_workspace: impl Fn(usize) -> usize,
    ) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid("a batch has at least one sample; found 0".to_owned()));
        }
        check_size(device, N::train_workspace(Extent::unit()), capacity)?;
        check_size(device, loss_workspace(1), capacity)?;
        let words =
            |batch| N::train_workspace(Extent::of(batch)).saturating_add(loss_workspace(batch));
        Ok(Memories {
            grads: device.zeros(N::PARAM_LEN)?,
            workspace: room(device, &format!("a training step of `{}`", N::NAME), capacity, words)?,
            capacity,
            statistics: device.zeros(N::STATE_LEN)?,
            memos: Memos::new(),
            under_way: VecDeque::with_capacity(N::Device::AHEAD + 1),
            last: None,
            norm: None,
            halted: false,
        })
    }

    /// Gradients and workspace alone.
    pub fn into_buffers(self) -> (Buffer<N>, Buffer<N>) {
        (self.grads, self.workspace)
    }

    /// The elements of gradients and workspace.
    pub fn len(&self, device: &N::Device) -> usize {
        device.len(&self.grads) + device.len(&self.workspace)
    }

    /// Posts one training step: `bind` adds inputs to what is bound, `passes` go forward and backward. Where one of
    /// them finds an index out of range, or the loss or a norm of the gradients is infinite or not a number, there is no
    /// update, and the network's running statistics become again what they were: one bad batch would stay in them for
    /// good.
    ///
    /// `passes` call the same kernels with the same numbers wherever the batch's extent is the same. So a step that is
    /// like an earlier one is repeated, where the device does that: without them.
    pub fn post<'a, O: Optimizer>(
        &'a mut self,
        store: &'a mut Store<N::Elem, N::Device>,
        updates: &'a mut Updates<O, Buffer<N>>,
        batch: Batch,
        bind: impl FnOnce(&mut Bindings<'a, N::Elem, N::Device>),
        passes: impl FnOnce(&mut RunOf<'a, N>) -> Left,
    ) -> Result<()> {
        updates.prepare::<N>(&store.device)?;
        let device = &store.device;
        let (pass, state) = updates.split(N::PARAM_LEN, batch)?;
        let case = Case::new(&batch, &pass);
        let counter = Counter { seed: store.seed.0, step: store.steps, first_sample: 0 };
        let mut bound = Bindings {
            params: Access::Write(&mut store.params),
            state: Access::Write(&mut store.state),
            grads: Access::Write(&mut self.grads),
            workspace: Access::Write(&mut self.workspace),
            counter,
            name: name_of::<N>,
            ..Bindings::default()
        };
        bound.outputs[BEFORE] = Access::Write(&mut self.statistics);
        let counts = state.bind(&mut bound);
        bind(&mut bound);
        let (known, memo) = self.memos.find(&case, |memo| device.remembers(memo, &bound));
        let again = match known {
            true => device.repeat(&mut memo.pass, &bound, |run| pass.finish(run))?,
            false => None,
        };
        let ticket = match again {
            Some(ticket) => ticket,
            None => {
                let mut run = device.run(bound);
                let (outputs, value) = whole::<N, O>(&mut run, &pass, passes);
                (memo.case, memo.outputs) = (case, outputs);
                device.post(run, value, batch.kept.then_some(outputs), &mut memo.pass)?
            }
        };
        let outputs = memo.outputs;
        let (updated, normed, halts) = (pass.updates, pass.adds_squares(), pass.halts);
        counts.add(&pass);
        store.steps += 1;
        self.under_way.push_back(Posted { ticket, outputs, updated, normed, halts });
        Ok(())
    }

    /// Whether as many steps are under way as may be.
    pub fn is_full(&self) -> bool {
        self.under_way.len() > N::Device::AHEAD
    }

    /// Waits for the oldest step under way and returns its loss; `None` where there is none. A step that came to
    /// nothing does not count.
    pub fn wait(
        &mut self,
        store: &mut Store<N::Elem, N::Device>,
        state: &mut OptimizerState<Buffer<N>>,
    ) -> Result<Option<N::Elem>> {
        let Some(posted) = self.under_way.pop_front() else { return Ok(None) };
        let values = store.device.wait(&posted.ticket);
        let is_finite = values.as_ref().is_ok_and(|[loss, _]| loss.is_finite());
        // A step that came to nothing before its gradients reports the sum of an earlier one.
        let normed = posted.normed && is_finite && !self.halted;
        let squares = values.as_ref().ok().filter(|_| normed).map(|[_, squares]| *squares);
        let is_good = is_finite && squares.is_none_or(N::Elem::is_finite);
        self.halted |= posted.halts && values.is_ok() && !is_good;
        if self.halted || !is_good {
            let updates = u64::from(posted.updated);
            state.steps = state.steps.saturating_sub(updates);
            state.averaged = state.averaged.saturating_sub(updates);
            store.steps = store.steps.saturating_sub(1);
        }
        self.norm = squares.map(|squares| squares.to_f64().sqrt());
        self.last = values.is_ok().then_some(posted);
        values.map(|[loss, _]| Some(loss))
    }

    /// The norm of the gradients of the last step that was waited for, if it was taken.
    pub fn norm(&self) -> Option<f64> {
        self.norm
    }

    /// Whether the last step that was waited for makes an update, unless it comes to nothing.
    pub fn has_updated(&self) -> bool {
        self.last.as_ref().is_some_and(|posted| posted.updated)
    }

    /// Waits for all steps under way, whatever comes of them.
    pub fn settle(
        &mut self,
        store: &mut Store<N::Elem, N::Device>,
        state: &mut OptimizerState<Buffer<N>>,
    ) {
        while !self.under_way.is_empty() {
            // Nobody is left to hear of it, and the step has changed nothing.
            let _ = self.wait(store, state);
        }
    }

    /// Waits for all steps under way, of which only the last one's loss is wanted.
    pub fn wait_for_last(
        &mut self,
        store: &mut Store<N::Elem, N::Device>,
        state: &mut OptimizerState<Buffer<N>>,
    ) -> Result<N::Elem> {
        let mut last = None;
        while let Some(loss) = self.wait(store, state)? {
            last = Some(loss);
        }
        last.ok_or_else(|| Error::Invalid("no training step is under way".to_owned()))
    }

    /// Copies the outputs of the last step that was waited for into `out`; returns how many elements there are.
    pub fn read_outputs(&self, device: &N::Device, out: &mut [N::Elem]) -> Result<usize> {
        let Some(Posted { ticket, outputs, .. }) = &self.last else {
            return Err(Error::Invalid(
                "no batch has been run yet, so there are no outputs".into(),
            ));
        };
        let found = out.len();
        let out = out.get_mut(..outputs.len).ok_or_else(|| Error::Size {
            what: "room for the outputs of a batch".to_owned(),
            expected: format!("{} elements", outputs.len),
            found: found.to_string(),
        })?;
        device.kept(ticket, &self.workspace, outputs.offset, out)?;
        Ok(outputs.len)
    }
}
