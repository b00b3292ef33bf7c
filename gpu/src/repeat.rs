//! Passes that are posted again without their calls.
//!
//! To note all calls of a training step, and to compare them with those that have been recorded, touches far more memory
//! than all else that the processor does for it, and after each pause that memory is out of its caches. So who posts a
//! pass gets a memo of it. With the same buffers bound, the recording is submitted once more, and only those numbers are
//! written that change: the counters, and those of the calls that are made in
//! [`Run::changing`](netform_core::device::Run::changing). These calls are compared with those that have been recorded.

use std::sync::Arc;

use netform_core::device::{Arg, Counter, Span};
use netform_core::error::Result;

use crate::bound::Identity;
use crate::context::{Context, lock};
use crate::gather::{Gather, ROWS, TO};
use crate::record::{Numbers, Posted, VulkanTicket};
use crate::run::VulkanRun;
use crate::tape::{Call, Marks, Piece, Rows};

/// What is remembered of a pass that has been posted.
#[derive(Default)]
pub struct VulkanMemo {
    /// What was posted; `None` where nothing is remembered.
    posted: Option<Posted>,
    /// The number of the context that it was posted to: those of plans and buffers are its own.
    context: u64,
    bound: Vec<Identity>,
    /// What is gathered before the calls, with the numbers of the buffers, and where the indices begin.
    gathers: Vec<(Rows, [u64; 3])>,
    firsts: Vec<u32>,
    /// All numbers of the pass.
    numbers: Vec<f32>,
    changing: Calls,
}

/// The calls of a pass that change, but for their numbers.
#[derive(Default)]
struct Calls {
    /// Where they are among the calls of the pass.
    from: Marks,
    to: Marks,
    calls: Vec<Call>,
    spans: Vec<Span>,
    args: Vec<Arg>,
}

/// Fills a list anew.
fn refill<T>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) {
    list.clear();
    list.extend(items);
}

impl VulkanMemo {
    pub(crate) fn forget(&mut self) {
        self.posted = None;
    }

    /// Remembers a pass that has been posted.
    pub(crate) fn remember(&mut self, run: &VulkanRun<'_>, posted: Posted) {
        let tape = &run.tape;
        let [from, to] = run.changing.unwrap_or([tape.marks(); 2]);
        if from.conditions != to.conditions {
            // They are not compared.
            return self.forget();
        }
        self.context = run.context.number;
        refill(&mut self.bound, run.buffers.identities());
        let ids = run.buffers.gathers().map(Gather::ids);
        refill(&mut self.gathers, tape.gathers.iter().copied().zip(ids));
        refill(&mut self.numbers, tape.numbers.iter().copied());
        let Calls { calls, spans, args, .. } = &mut self.changing;
        refill(calls, tape.calls[from.calls..to.calls].iter().copied());
        refill(spans, tape.spans[from.spans..to.spans].iter().copied());
        refill(args, tape.args[from.args..to.args].iter().copied());
        (self.changing.from, self.changing.to) = (from, to);
        self.posted = Some(posted);
    }

    /// Whether it is of a pass over these buffers of the context, bound in the same way.
    pub(crate) fn is_of(&self, context: u64, bound: impl Iterator<Item = Identity>) -> bool {
        self.posted.is_some() && self.context == context && self.bound.iter().copied().eq(bound)
    }

    /// What the calls that change are compared with; their numbers become the memo's.
    pub(crate) fn comparison(&mut self) -> Comparison<'_> {
        let Calls { from, to, .. } = self.changing;
        let numbers = &mut self.numbers[from.numbers..to.numbers];
        Comparison { known: &self.changing, numbers, at: Marks::default(), same: true }
    }

    fn has(&self, which: impl Fn(Identity) -> bool) -> bool {
        self.bound.iter().any(|bound| which(*bound))
    }

    /// Whether what is to be gathered, as far as it has to do with the pass, is what the pass gathers; but for where the
    /// indices begin, which become the memo's.
    fn gathers(&mut self, noted: &[Gather]) -> bool {
        self.firsts.clear();
        let mut known = self.gathers.iter();
        for gather in noted {
            let ids = gather.ids();
            if self.has(|bound| bound.id() == ids[TO]) {
                if known.next() != Some(&(gather.rows(), ids)) {
                    return false;
                }
                // Not more are kept: their indices are of 32 bits too.
                self.firsts.push(gather.first as u32);
            } else if self.has(|bound| bound.is_writable() && ids[..=ROWS].contains(&bound.id())) {
                // It comes before the pass.
                return false;
            }
        }
        known.next().is_none()
    }

    fn numbers(&self, counter: Counter, plan: &Posted) -> Numbers<'_> {
        let Calls { from, to, .. } = self.changing;
        let (numbers, firsts) = (&self.numbers[..], &self.firsts[..]);
        let changing = from.numbers..to.numbers;
        Numbers { of: plan.numbers, counter, numbers, changing, firsts }
    }
}

/// The calls of a pass that change, as they are made once more.
pub(crate) struct Comparison<'m> {
    known: &'m Calls,
    /// Their numbers, which become those of the calls.
    numbers: &'m mut [f32],
    /// How much has been compared.
    at: Marks,
    same: bool,
}

/// Compares items with the next ones that are known; says where these are in the list of the whole pass.
fn next<T: PartialEq>(
    known: &[T],
    before: usize,
    at: &mut usize,
    items: &[T],
    same: &mut bool,
) -> Piece {
    let from = *at;
    *at += items.len();
    *same &= known.get(from..*at).is_some_and(|known| known == items);
    Piece { start: before + from, len: items.len() }
}

impl Comparison<'_> {
    pub fn spans(&mut self, spans: &[Span]) -> Piece {
        let Comparison { known, at, same, .. } = self;
        next(&known.spans, known.from.spans, &mut at.spans, spans, same)
    }

    pub fn args(&mut self, args: &[Arg]) -> Piece {
        let Comparison { known, at, same, .. } = self;
        next(&known.args, known.from.args, &mut at.args, args, same)
    }

    pub fn numbers(&mut self, numbers: &[f32]) -> Piece {
        let from = self.at.numbers;
        self.at.numbers += numbers.len();
        match self.numbers.get_mut(from..self.at.numbers) {
            Some(known) => known.copy_from_slice(numbers),
            None => self.differ(),
        }
        Piece { start: self.known.from.numbers + from, len: numbers.len() }
    }

    pub fn call(&mut self, call: &Call) {
        self.same &= self.known.calls.get(self.at.calls) == Some(call);
        self.at.calls += 1;
    }

    /// Notes that something is made that is not among the calls.
    pub fn differ(&mut self) {
        self.same = false;
    }

    fn is_the_same(&self) -> bool {
        let Calls { calls, spans, args, .. } = self.known;
        let Marks { calls: n, spans: m, args: k, numbers, .. } = self.at;
        self.same
            && [n, m, k] == [calls.len(), spans.len(), args.len()]
            && numbers == self.numbers.len()
    }
}

impl VulkanRun<'_> {
    /// Whether the calls that have been made again are the known ones, but for their numbers.
    pub(crate) fn is_the_same(&self) -> bool {
        self.fault.is_none() && self.again.as_ref().is_some_and(Comparison::is_the_same)
    }
}

impl Context {
    /// Posts the pass of a memo once more, whose changing calls have been compared. `None` where there is no recording of
    /// it at hand, or something else is to be gathered before.
    pub fn repeat(
        self: &Arc<Self>,
        memo: &mut VulkanMemo,
        counter: &Counter,
    ) -> Result<Option<VulkanTicket>> {
        let Some(posted) = memo.posted else { return Ok(None) };
        let noted = lock(&self.gathers);
        if !memo.gathers(&noted) {
            return Ok(None);
        }
        // Another pass that uses what is gathered waits until this one is submitted; where nothing is, none waits.
        let noted = Some(noted).filter(|_| !memo.gathers.is_empty());
        let Some(recording) = self.recording_of(posted.plan)? else { return Ok(None) };
        let serial = self.launch(recording, &memo.numbers(*counter, &posted), true)?;
        if let Some(mut noted) = noted {
            noted.retain(|gather| !memo.gathers.iter().any(|(_, ids)| ids[TO] == gather.to()));
        }
        Ok(Some(posted.ticket(self, serial)))
    }
}
