//! Passes as recorded commands: recorded when they are new, submitted again when they are not.
//!
//! A pass that is posted runs while the processor goes on. Its recording stays among those of the device, with a fence;
//! what would touch one of its buffers waits for it first: reads and writes of the processor ([`Context::settle`]).
//! Other passes need not: each begins with a barrier. A buffer that ends leaves its memory to the passes under way.

mod commands;
mod hazards;
mod outcome;

use std::ops::Range;
use std::sync::Arc;

use netform_core::device::{Counter, Span};
use netform_core::error::{Error, Result};
use vulkano::command_buffer::CommandBuffer;
use vulkano::descriptor_set::DescriptorSet;
use vulkano::sync::fence::Fence;

use crate::bound::SLOTS;
use crate::context::{Context, lock};
use crate::kernels::Check;
use crate::memory::{Storage, Words};
use crate::repeat::VulkanMemo;
use crate::run::VulkanRun;
use crate::shader::{COUNTERS, Pipeline};
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
    /// It has ended, and this is what went wrong, which nobody has asked for.
    Ended(Option<Box<Error>>),
}

/// Integers among which an index may be that is out of range.
struct Suspect {
    storage: Storage,
    first: usize,
    strides: [usize; 4],
    grid: [usize; 4],
}

/// A pass that is recorded: the tape that it was recorded from, for these buffers. What each submission needs is side by
/// side in memory: the processor's caches are cold when it comes.
#[repr(C, align(64))]
pub(crate) struct Recording {
    /// The number that recordings of the same calls on the same buffers share.
    plan: u64,
    /// The number of its last submission.
    serial: u64,
    /// Which numbers have been written: [`Numbers::of`].
    written: u64,
    flight: Flight,
    /// Whether somebody has a ticket for the last submission.
    wanted: bool,
    /// Whether one of its buffers is gone: it is not submitted again.
    orphaned: bool,
    /// Whether kernels may have written to `faults` since the processor has.
    faulty: bool,
    fence: Arc<Fence>,
    /// Seed, step and constants, which the processor writes before each submission.
    numbers: Words,
    commands: CommandBuffer,
    /// A position and an index for each check.
    faults: Words,
    /// What is kept of the pass: the values, and what else there is.
    kept: Option<Words>,
    checks: Vec<Check>,
    tape: Tape,
    ids: [u64; SLOTS],
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

/// What the processor writes for a submission.
pub(crate) struct Numbers<'n> {
    /// A number that others have only if they are the same ones, but for the counter, those that are changing and the
    /// firsts; 0 where nobody knows.
    pub of: u64,
    pub counter: Counter,
    pub numbers: &'n [f32],
    /// Which of them are changing.
    pub changing: Range<usize>,
    /// Where the indices of gathers begin.
    pub firsts: &'n [u32],
}

impl Numbers<'_> {
    fn counters(&self) -> impl Iterator<Item = u32> {
        let Counter { seed, step, first_sample } = self.counter;
        [seed as u32, (seed >> 32) as u32, step as u32, first_sample as u32].into_iter()
    }
}

/// What a pass that has been posted shares with its repetitions.
#[derive(Clone, Copy)]
pub(crate) struct Posted {
    /// The number of its recordings.
    pub plan: u64,
    /// That of its numbers.
    pub numbers: u64,
    /// How many values are kept of it, in front of what else is.
    values: usize,
    more: bool,
}

impl Posted {
    /// The ticket of a submission.
    pub fn ticket(self, context: &Arc<Context>, serial: u64) -> VulkanTicket {
        let Posted { values, more, .. } = self;
        VulkanTicket { context: context.clone(), serial, values, more }
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
    /// Whether one of them may be of a buffer that is gone.
    orphans: bool,
    recorded: usize,
}

/// A recorded pass that is not under way, or what to do about it.
enum Found {
    Free(Box<Recording>),
    /// All that may be are under way: this is the oldest one.
    Waiting(u64),
    /// There is none, or others are under way that have this plan.
    None(Option<u64>),
}

impl Recordings {
    fn take(&mut self, fits: impl Fn(&Recording) -> bool) -> Found {
        let fits = |r: &Recording| !r.orphaned && fits(r);
        let is_free = |r: &Recording| matches!(r.flight, Flight::None);
        // What may take long to compare is compared last, and mostly once: in a training the oldest of its recordings is
        // the one to use.
        if let Some(i) = self.all.iter().position(|r| is_free(r) && fits(r)) {
            return Found::Free(self.all.remove(i));
        }
        let busy = || self.all.iter().filter(|r| !is_free(r) && fits(r));
        match busy().count() > AHEAD {
            true => Found::Waiting(busy().map(|r| r.serial).min().unwrap_or_default()),
            false => Found::None(busy().next().map(|r| r.plan)),
        }
    }

    /// Keeps a pass; returns one that is kept no longer, so that it is dropped without the lock.
    fn put(&mut self, recording: Box<Recording>) -> Option<Box<Recording>> {
        self.orphans |= recording.orphaned;
        let mut gone = None;
        if self.orphans {
            gone = self.all.iter().position(|r| r.orphaned && r.is_over());
            self.orphans = recording.orphaned || self.all.iter().any(|r| r.orphaned);
        }
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
        self.orphans = self.all.iter().any(|r| r.orphaned);
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
        let (serial, _) = self.submit(false)?;
        self.context.outcome(serial)
    }

    /// Runs what the tape holds, and does not wait for it.
    pub(crate) fn post(
        &mut self,
        context: &Arc<Context>,
        value: Span,
        more: Option<Span>,
        memo: &mut VulkanMemo,
    ) -> Result<VulkanTicket> {
        self.tape.kept = Some(Kept { value, more });
        let (serial, plan) = self.submit(true)?;
        let (values, more) = (value.len, more.is_some());
        // No numbers have the number of a submission of another pass.
        let posted = Posted { plan, numbers: serial, values, more };
        memo.remember(self, posted);
        Ok(posted.ticket(context, serial))
    }

    /// Runs what is gathered and nothing else, and waits for it.
    pub(crate) fn execute_alone(&mut self) -> Result<()> {
        let (serial, _) = self.submit_alone(false)?;
        self.context.outcome(serial)
    }

    /// Submits the tape, with what is noted for its buffers. Returns the numbers of the submission and of the plan.
    fn submit(&mut self, wanted: bool) -> Result<(u64, u64)> {
        let mut noted = lock(&self.context.gathers);
        if noted.is_empty() || !self.adopt_all(&mut noted)? {
            drop(noted);
            return self.submit_alone(wanted);
        }
        // Another pass that uses these buffers waits here until this one is submitted, and comes after it.
        let submitted = self.submit_alone(wanted)?;
        self.adopted(&mut noted);
        Ok(submitted)
    }

    fn submit_alone(&mut self, wanted: bool) -> Result<(u64, u64)> {
        let recording = self.free_recording()?;
        let plan = recording.plan;
        let (numbers, firsts) = (&self.tape.numbers[..], &self.tape.firsts[..]);
        let counter = self.counter;
        let numbers = Numbers { of: 0, counter, numbers, changing: 0..numbers.len(), firsts };
        self.context.launch(recording, &numbers, wanted).map(|serial| (serial, plan))
    }

    /// A recording of the tape that is not under way.
    fn free_recording(&self) -> Result<Box<Recording>> {
        let ids = self.buffers.ids();
        loop {
            let fits = |r: &Recording| r.ids == ids && r.tape.is_like(&self.tape);
            let found = lock(&self.context.recordings).take(fits);
            match found {
                Found::Free(recording) => return Ok(recording),
                Found::None(plan) => {
                    let plan = plan.unwrap_or_else(|| self.context.id());
                    return self.record(plan, ids).map(Box::new);
                }
                // Whoever posted it has not asked for its outcome, and does not any more.
                Found::Waiting(serial) => drop(self.context.outcome(serial)),
            }
        }
    }
}

impl Recording {
    /// Writes what a submission needs; of what has been written before, only what is not the same.
    fn write(&mut self, context: &Context, new: &Numbers<'_>) -> Result<()> {
        let same = new.of != 0 && self.written == new.of;
        self.written = 0;
        // SAFETY: the recording is not under way.
        unsafe {
            self.numbers.write(context, 0, new.counters())?;
            let changing = if same { new.changing.clone() } else { 0..new.numbers.len() };
            let first = COUNTERS + changing.start;
            let numbers = new.numbers[changing].iter().map(|x| x.to_bits());
            self.numbers.write(context, first, numbers)?;
            let first = COUNTERS + new.numbers.len();
            self.numbers.write(context, first, new.firsts.iter().copied())?;
        }
        self.written = new.of;
        if !std::mem::take(&mut self.faulty) {
            return Ok(());
        }
        let nothing = std::iter::repeat_n(u32::MAX, 2 * self.checks.len());
        // SAFETY: as above.
        unsafe { self.faults.write(context, 0, nothing) }
    }
}

impl Context {
    /// A recording of a plan that is not under way, if there is one.
    pub fn recording_of(&self, plan: u64) -> Result<Option<Box<Recording>>> {
        loop {
            let found = lock(&self.recordings).take(|r| r.plan == plan);
            match found {
                Found::Free(recording) => return Ok(Some(recording)),
                Found::None(_) => return Ok(None),
                // As where it is recorded: nobody asks for its outcome any more.
                Found::Waiting(serial) => drop(self.outcome(serial)),
            }
        }
    }

    /// Submits a recording that is not under way. Returns the number of the submission.
    pub fn launch(
        &self,
        mut recording: Box<Recording>,
        numbers: &Numbers<'_>,
        wanted: bool,
    ) -> Result<u64> {
        recording.write(self, numbers)?;
        let serial = self.id();
        recording.serial = serial;
        recording.wanted = wanted;
        recording.renew_fence(self)?;
        // SAFETY: the recording is not under way, its fence is its own and not signalled, and it is kept until the
        // commands have run, with what they use; its buffers wait for that before they change.
        unsafe { self.enqueue(&recording.commands, &recording.fence) }?;
        recording.flight = Flight::UnderWay;
        let gone = lock(&self.recordings).put(recording);
        drop(gone);
        Ok(serial)
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
}
