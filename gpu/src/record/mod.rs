//! Passes as recorded commands: recorded when they are new, submitted again when they are not.
//!
//! A pass that is posted runs while the processor goes on. Its recording stays among those of the device, with a fence;
//! what would touch one of its buffers waits for it first: reads and writes of the processor ([`Context::settle`]).
//! Other passes need not: each begins with a barrier. A buffer that ends leaves its memory to the passes under way.

mod commands;
mod hazards;

use std::sync::Arc;

use netform_core::device::{Span, VALUES};
use netform_core::error::{Error, Result};
use vulkano::command_buffer::CommandBuffer;
use vulkano::descriptor_set::DescriptorSet;
use vulkano::sync::fence::Fence;

use crate::bound::SLOTS;
use crate::context::{Context, lock};
use crate::kernels::Check;
use crate::memory::{Storage, Words, word};
use crate::run::VulkanRun;
use crate::shader::Pipeline;
use crate::shader::first_of_gather;
use crate::tape::{Kept, Tape};

/// How many passes are kept for another time.
const KEPT: usize = 64;

/// How many passes of the same calls may be under way that nobody has waited for, beside the last one.
pub(crate) const AHEAD: usize = 2;

/// Where a pass is.
enum Flight {
    /// It has not been submitted, or its outcome has been asked for.
    None,
    UnderWay,
    /// It has ended, and this is its outcome, which nobody has asked for.
    Ended(Result<()>),
}

/// Integers among which an index may be that is out of range.
struct Suspect {
    storage: Storage,
    first: usize,
    strides: [usize; 4],
    grid: [usize; 4],
}

/// A pass that is recorded: the tape that it was recorded from, for these buffers.
pub(crate) struct Recording {
    tape: Tape,
    ids: [u64; SLOTS],
    commands: CommandBuffer,
    fence: Arc<Fence>,
    flight: Flight,
    /// The number of its last submission.
    serial: u64,
    /// Whether somebody has a ticket for that.
    wanted: bool,
    /// Whether one of its buffers is gone: it is not submitted again.
    orphaned: bool,
    /// Seed, step and constants, which the processor writes before each submission.
    numbers: Words,
    /// A position and an index for each check.
    faults: Words,
    /// Whether kernels may have written there since the processor has.
    faulty: bool,
    /// What is kept of the pass: the values, and what else there is.
    kept: Option<Words>,
    checks: Vec<Check>,
    /// For each check.
    suspects: Vec<Vec<Suspect>>,
    /// What the commands use, which does not keep it alive.
    _sets: Vec<Arc<DescriptorSet>>,
    _pipelines: Vec<Arc<Pipeline>>,
}

impl Drop for Recording {
    /// Commands that run are not to lose what they use.
    fn drop(&mut self) {
        if matches!(self.flight, Flight::UnderWay) {
            // Of a lost device nothing is left to wait for.
            let _ = self.fence.wait(None);
        }
    }
}

/// A pass that has been posted.
pub struct VulkanTicket {
    context: Arc<Context>,
    serial: u64,
    /// How many values are kept of it, in front of what else is.
    values: usize,
    more: bool,
}

impl Drop for VulkanTicket {
    fn drop(&mut self) {
        if let Some(recording) = lock(&self.context.recordings).of(self.serial) {
            recording.wanted = false;
            if matches!(recording.flight, Flight::Ended(_)) {
                recording.flight = Flight::None;
            }
        }
    }
}

/// The recorded passes of a device, the last one used at the end.
#[derive(Default)]
pub(crate) struct Recordings {
    // Boxed, because they move often.
    #[allow(clippy::vec_box)]
    all: Vec<Box<Recording>>,
    recorded: usize,
}

/// A recorded pass that is not under way, or what to do about it.
enum Found {
    Free(Box<Recording>),
    /// All that may be are under way: this is the oldest one.
    Waiting(u64),
    None,
}

impl Recordings {
    fn take(&mut self, tape: &Tape, ids: &[u64; SLOTS]) -> Found {
        let fits = |r: &Recording| !r.orphaned && r.ids == *ids && r.tape.is_like(tape);
        let is_free = |r: &Recording| matches!(r.flight, Flight::None);
        // Tapes are compared last, and mostly once: in a training the oldest of its recordings is the one to use.
        if let Some(i) = self.all.iter().position(|r| is_free(r) && fits(r)) {
            return Found::Free(self.all.remove(i));
        }
        let busy = || self.all.iter().filter(|r| !is_free(r) && fits(r));
        match busy().count() > AHEAD {
            true => Found::Waiting(busy().map(|r| r.serial).min().unwrap_or_default()),
            false => Found::None,
        }
    }

    /// Keeps a pass; returns one that is kept no longer, so that it is dropped without the lock.
    fn put(&mut self, recording: Box<Recording>) -> Option<Box<Recording>> {
        let gone = self.all.iter().position(|r| r.orphaned && r.is_over());
        let oldest = || self.all.iter().position(|r| matches!(r.flight, Flight::None));
        let gone = gone.or_else(|| if self.all.len() < KEPT { None } else { oldest() });
        let gone = gone.map(|i| self.all.remove(i));
        self.all.push(recording);
        gone
    }

    fn of(&mut self, serial: u64) -> Option<&mut Recording> {
        self.all.iter_mut().rev().find(|r| r.serial == serial).map(|recording| &mut **recording)
    }

    /// Forgets the passes that use a buffer, which is about to vanish. They are returned so that they are dropped
    /// without the lock. One whose outcome is wanted keeps the memory for so long.
    pub fn forget(&mut self, buffer: u64) -> impl Sized + use<> {
        let uses = |r: &Recording| r.ids.contains(&buffer);
        self.all.iter_mut().filter(|r| uses(r)).for_each(|r| r.orphaned = true);
        let all = std::mem::take(&mut self.all).into_iter();
        let (gone, kept): (Vec<_>, _) = all.partition(|r| r.orphaned && r.is_over());
        self.all = kept;
        gone
    }

    /// How many passes have been recorded so far.
    pub fn recorded(&self) -> usize {
        self.recorded
    }
}

impl VulkanRun<'_> {
    /// Runs what the tape holds, and waits for it.
    pub(crate) fn execute(&mut self) -> Result<()> {
        let serial = self.submit(false)?;
        self.context.outcome(serial)
    }

    /// Runs what the tape holds, and does not wait for it.
    pub(crate) fn post(
        &mut self,
        context: &Arc<Context>,
        value: Span,
        more: Option<Span>,
    ) -> Result<VulkanTicket> {
        self.tape.kept = Some(Kept { value, more });
        let serial = self.submit(true)?;
        let context = context.clone();
        Ok(VulkanTicket { context, serial, values: value.len, more: more.is_some() })
    }

    /// Runs what is gathered and nothing else, and waits for it.
    pub(crate) fn execute_alone(&mut self) -> Result<()> {
        let serial = self.submit_alone(false)?;
        self.context.outcome(serial)
    }

    /// Submits the tape, with what is noted for its buffers.
    fn submit(&mut self, wanted: bool) -> Result<u64> {
        let mut noted = lock(&self.context.gathers);
        if noted.is_empty() || !self.adopt_all(&mut noted)? {
            drop(noted);
            return self.submit_alone(wanted);
        }
        // Another pass that uses these buffers waits here until this one is submitted, and comes after it.
        let serial = self.submit_alone(wanted)?;
        self.adopted(&mut noted);
        Ok(serial)
    }

    fn submit_alone(&mut self, wanted: bool) -> Result<u64> {
        let mut recording = self.free_recording()?;
        self.write_numbers(&mut recording)?;
        let serial = self.context.id();
        recording.serial = serial;
        recording.wanted = wanted;
        recording.renew_fence(self.context)?;
        // SAFETY: the recording is not under way, its fence is its own and not signalled, and it is kept until the
        // commands have run, with what they use; its buffers wait for that before they change.
        unsafe { self.context.enqueue(&recording.commands, &recording.fence) }?;
        recording.flight = Flight::UnderWay;
        let gone = lock(&self.context.recordings).put(recording);
        drop(gone);
        Ok(serial)
    }

    /// A recording of the tape that is not under way.
    fn free_recording(&self) -> Result<Box<Recording>> {
        let ids = self.buffers.ids();
        loop {
            let found = lock(&self.context.recordings).take(&self.tape, &ids);
            match found {
                Found::Free(recording) => return Ok(recording),
                Found::None => return self.record(ids).map(Box::new),
                // Whoever posted it has not asked for its outcome, and does not any more.
                Found::Waiting(serial) => drop(self.context.outcome(serial)),
            }
        }
    }

    fn write_numbers(&self, recording: &mut Recording) -> Result<()> {
        let counter = &self.counter;
        let seed = [counter.seed as u32, (counter.seed >> 32) as u32];
        let counters = [seed[0], seed[1], counter.step as u32, counter.first_sample as u32];
        let constants = self.tape.numbers.iter().map(|x| x.to_bits());
        let firsts = self.tape.firsts.iter().copied();
        let numbers = counters.into_iter().chain(constants).chain(firsts);
        // SAFETY: the recording is not under way.
        unsafe { recording.numbers.write(self.context, numbers) }?;
        if !std::mem::take(&mut recording.faulty) {
            return Ok(());
        }
        let nothing = std::iter::repeat_n(u32::MAX, 2 * recording.checks.len());
        // SAFETY: as above.
        unsafe { recording.faults.write(self.context, nothing) }
    }
}

impl Context {
    /// Waits for the last pass that `which` chooses among those under way, if there is one, and notes its outcome.
    fn end(&self, which: impl Fn(&Recording) -> bool) -> Result<bool> {
        let found = lock(&self.recordings)
            .all
            .iter()
            .rev()
            .find(|r| matches!(r.flight, Flight::UnderWay) && which(r))
            .map(|r| (r.serial, r.fence.clone()));
        let Some((serial, fence)) = found else { return Ok(false) };
        let waited = self.wait(&fence);
        drop(fence);
        let mut recordings = lock(&self.recordings);
        if let Some(recording) = recordings.of(serial)
            && matches!(recording.flight, Flight::UnderWay)
        {
            let outcome = waited.and_then(|()| recording.faults(self));
            recording.faulty = outcome.is_err();
            recording.flight = Flight::Ended(outcome);
        }
        Ok(true)
    }

    /// Waits for the passes under way that use a buffer.
    pub fn settle(&self, buffer: u64) -> Result<()> {
        while self.end(|recording| recording.ids.contains(&buffer))? {}
        self.check_lost()
    }

    /// Waits for a pass and returns its outcome, once.
    fn outcome(&self, serial: u64) -> Result<()> {
        self.end(|recording| recording.serial == serial)?;
        match lock(&self.recordings).of(serial) {
            Some(recording) => match std::mem::replace(&mut recording.flight, Flight::None) {
                Flight::Ended(outcome) => outcome,
                Flight::None | Flight::UnderWay => Err(self.forgotten()),
            },
            None => Err(self.forgotten()),
        }
    }

    fn forgotten(&self) -> Error {
        self.error("the outcome of a pass is asked for that others have followed since")
    }

    /// Waits for a posted pass and returns its values.
    pub fn values(&self, ticket: &VulkanTicket) -> Result<[f32; VALUES]> {
        self.outcome(ticket.serial)?;
        let mut values = [0.0; VALUES];
        self.kept_words(ticket, 0, &mut values[..ticket.values])?;
        Ok(values)
    }

    /// What else was kept of a posted pass; `None` where there is nothing else.
    pub fn more(&self, ticket: &VulkanTicket, out: &mut [f32]) -> Result<Option<()>> {
        if !ticket.more {
            return Ok(None);
        }
        self.kept_words(ticket, ticket.values, out).map(Some)
    }

    fn kept_words(&self, ticket: &VulkanTicket, first: usize, out: &mut [f32]) -> Result<()> {
        let mut recordings = lock(&self.recordings);
        let recording = recordings.of(ticket.serial);
        let kept = recording.and_then(|r| r.kept.as_ref()).ok_or_else(|| self.forgotten())?;
        if kept.count().saturating_sub(first) < out.len() {
            return Err(Error::Size {
                what: "what was kept of a pass".to_owned(),
                expected: format!("at most {} elements", kept.count() - first),
                found: out.len().to_string(),
            });
        }
        let copy = |kept: &[u8]| {
            (first..).zip(out).for_each(|(i, x)| *x = f32::from_bits(word(kept, i)));
        };
        // SAFETY: the pass has ended: its outcome has been asked for.
        unsafe { kept.read(self, copy) }
    }
}

impl Recording {
    /// Whether nobody wants anything of it any more.
    fn is_over(&self) -> bool {
        !self.wanted
            && !matches!(self.flight, Flight::UnderWay if self.fence.is_signaled() == Ok(false))
    }

    /// Makes the fence one that is not signalled. A thread that still looks at the old one keeps it.
    fn renew_fence(&mut self, context: &Context) -> Result<()> {
        match Arc::get_mut(&mut self.fence) {
            // SAFETY: the commands that signal it have run, and nobody else has it.
            Some(fence) => unsafe { fence.reset() }.map_err(|e| context.failed(&e)),
            None => {
                self.fence = Arc::new(context.fence()?);
                Ok(())
            }
        }
    }

    /// The error of the first check that found something.
    fn faults(&self, context: &Context) -> Result<()> {
        let first = |faults: &[u8]| {
            let all = (0..self.checks.len()).map(|i| (i, word(faults, 2 * i)));
            let found = all.into_iter().find(|(_, position)| *position != u32::MAX);
            found.map(|(i, position)| (i, position, word(faults, 2 * i + 1)))
        };
        // SAFETY: the commands have run.
        let Some((i, position, index)) = (unsafe { self.faults.read(context, first) })? else {
            return Ok(());
        };
        let (check, suspects) = (&self.checks[i], &self.suspects[i]);
        let index = match check.says_index {
            true => Some(index).filter(|index| *index != u32::MAX),
            false => {
                // The first checks are those of gathers, whose indices begin somewhere else each time.
                let first = |numbers: &[u8]| word(numbers, first_of_gather(&self.tape, i)) as usize;
                let first = match i < self.tape.gathers.len() {
                    // SAFETY: as above.
                    true => unsafe { self.numbers.read(context, first) }?,
                    false => 0,
                };
                integer(context, check.size, suspects, first, position as usize)?
            }
        };
        Err(Error::IndexOutOfRange {
            what: format!("{} {position}", check.what),
            index: index.map_or(usize::MAX, |index| index as usize),
            size: check.size,
        })
    }
}

/// The integer that a row was given and that is too large; `None` where its index was computed.
fn integer(
    context: &Context,
    size: usize,
    suspects: &[Suspect],
    after: usize,
    row: usize,
) -> Result<Option<u32>> {
    for Suspect { storage, first, strides, grid } in suspects {
        let (mut rest, mut place) = (row, *first + after);
        for axis in (0..4).rev() {
            place += rest % grid[axis] * strides[axis];
            rest /= grid[axis];
        }
        let mut bytes = [0; 4];
        context.download(storage, 4 * place, &mut bytes)?;
        let integer = u32::from_ne_bytes(bytes);
        if integer as usize >= size {
            return Ok(Some(integer));
        }
    }
    Ok(None)
}
