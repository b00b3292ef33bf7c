//! Passes as recorded commands: recorded when they are new, submitted again when they are not.

mod hazards;

use std::sync::Arc;

use netform_core::error::{Error, Result};
use vulkano::buffer::Subbuffer;
use vulkano::command_buffer::{CommandBuffer, RecordingCommandBuffer};
use vulkano::descriptor_set::{DescriptorSet, WriteDescriptorSet};
use vulkano::pipeline::PipelineBindPoint;

use crate::context::{barrier, lock};
use crate::kernels::{Check, Program};
use crate::run::{SLOTS, VulkanRun};
use crate::shader::{Binding, COUNTERS, Dispatch, Pipeline};
use crate::tape::Tape;

use hazards::Hazards;

/// How many passes are kept for another time.
const KEPT: usize = 64;

/// A pass that is recorded: the tape that it was recorded from, for these buffers.
pub(crate) struct Recording {
    tape: Tape,
    ids: [u64; SLOTS],
    commands: CommandBuffer,
    /// Seed, step and constants, which the processor writes before each submission.
    numbers: Subbuffer<[u8]>,
    /// A position and an index for each check.
    faults: Subbuffer<[u8]>,
    checks: Vec<Check>,
    /// What the commands use, which does not keep it alive.
    _sets: Vec<Arc<DescriptorSet>>,
    _pipelines: Vec<Arc<Pipeline>>,
}

/// The recorded passes of a device, the last one used at the end.
#[derive(Default)]
pub(crate) struct Recordings {
    all: Vec<Recording>,
    recorded: usize,
}

impl Recordings {
    fn take(&mut self, tape: &Tape, ids: &[u64; SLOTS]) -> Option<Recording> {
        let found = self.all.iter().rposition(|r| r.ids == *ids && r.tape.is_like(tape));
        found.map(|i| self.all.remove(i))
    }

    /// Keeps a pass; returns the oldest one where there are too many.
    fn put(&mut self, recording: Recording) -> Option<Recording> {
        let oldest = (self.all.len() >= KEPT).then(|| self.all.remove(0));
        self.all.push(recording);
        oldest
    }

    /// Forgets the passes that use a buffer, which is about to vanish. They are returned so that they are dropped
    /// without the lock.
    pub fn forget(&mut self, buffer: u64) -> Vec<Recording> {
        let (gone, kept) =
            std::mem::take(&mut self.all).into_iter().partition(|r| r.ids.contains(&buffer));
        self.all = kept;
        gone
    }

    /// How many passes have been recorded so far.
    pub fn recorded(&self) -> usize {
        self.recorded
    }
}

/// Words as bytes, in the order of the processor.
fn write_words(bytes: &mut [u8], words: impl Iterator<Item = u32>) {
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
}

impl VulkanRun<'_> {
    /// Runs what the tape holds, and waits for it.
    pub(crate) fn execute(&self) -> Result<()> {
        let ids = self.buffers.ids();
        let known = lock(&self.context.recordings).take(&self.tape, &ids);
        let recording = match known {
            Some(recording) => recording,
            None => self.record(ids)?,
        };
        self.write_numbers(&recording)?;
        let submitted = self.context.submit(&recording.commands);
        let outcome = submitted.and_then(|()| self.faults(&recording));
        let oldest = lock(&self.context.recordings).put(recording);
        drop(oldest);
        outcome
    }

    fn record(&self, ids: [u64; SLOTS]) -> Result<Recording> {
        let mut program = Program::default();
        for call in &self.tape.calls {
            program.add(&self.tape, call).map_err(|problem| self.context.error(problem))?;
        }
        let Program { dispatches, checks } = program;
        let words = COUNTERS + self.tape.numbers.len();
        let numbers = self.context.allocate(4 * words as u64, true)?;
        let faults = self.context.allocate(8 * checks.len() as u64, true)?;
        let mut commands = self.context.record()?;
        let (mut sets, mut pipelines, mut hazards) = (vec![], vec![], Hazards::default());
        let between = barrier();
        // SAFETY: the barrier is one of the whole memory, between stages that every queue has.
        unsafe { commands.pipeline_barrier_unchecked(&between) };
        for dispatch in &dispatches {
            if hazards.conflict(dispatch) {
                // SAFETY: as above.
                unsafe { commands.pipeline_barrier_unchecked(&between) };
                hazards.clear();
            }
            hazards.add(dispatch);
            let pipeline = self.context.pipeline(dispatch)?;
            let set = self.set(dispatch, &pipeline, &numbers, &faults)?;
            record_dispatch(&mut commands, dispatch, &pipeline, &set);
            sets.push(set);
            pipelines.push(pipeline);
        }
        // SAFETY: as above; the processor reads what was written.
        unsafe { commands.pipeline_barrier_unchecked(&between) };
        // SAFETY: what was recorded is valid: pipelines and sets are of the same layouts, and are kept with it.
        let commands = unsafe { commands.end() }.map_err(|e| self.context.error(e))?;
        lock(&self.context.recordings).recorded += 1;
        let tape = self.tape.clone();
        Ok(Recording {
            tape,
            ids,
            commands,
            numbers,
            faults,
            checks,
            _sets: sets,
            _pipelines: pipelines,
        })
    }

    /// The buffers of a dispatch.
    fn set(
        &self,
        dispatch: &Dispatch,
        pipeline: &Pipeline,
        numbers: &Subbuffer<[u8]>,
        faults: &Subbuffer<[u8]>,
    ) -> Result<Arc<DescriptorSet>> {
        let buffer = |binding: &Binding| match binding {
            Binding::Numbers => Some(numbers.clone()),
            Binding::Faults => Some(faults.clone()),
            // A span without elements may be of a slot where nothing is bound: any buffer does.
            Binding::Slot(slot) => self
                .buffers
                .get(*slot)
                .map_or(Some(numbers.clone()), |bound| Some(bound.raw.buffer.clone())),
        };
        let writes = (0..)
            .zip(&dispatch.bindings)
            .filter_map(|(i, binding)| Some(WriteDescriptorSet::buffer(i, buffer(binding)?)));
        DescriptorSet::new(self.context.sets.clone(), pipeline.set.clone(), writes, [])
            .map_err(|e| self.context.error(format!("buffers cannot be bound: {e}")))
    }

    fn write_numbers(&self, recording: &Recording) -> Result<()> {
        let counter = &self.counter;
        let seed = [counter.seed as u32, (counter.seed >> 32) as u32];
        let counters = [seed[0], seed[1], counter.step as u32, counter.first_sample as u32];
        let mut numbers = recording.numbers.write().map_err(|e| self.context.error(e))?;
        let constants = self.tape.numbers.iter().map(|x| x.to_bits());
        write_words(&mut numbers, counters.into_iter().chain(constants));
        let mut faults = recording.faults.write().map_err(|e| self.context.error(e))?;
        write_words(&mut faults, std::iter::repeat_n(u32::MAX, 2 * recording.checks.len()));
        Ok(())
    }

    /// The error of the first check that found something.
    fn faults(&self, recording: &Recording) -> Result<()> {
        let faults = recording.faults.read().map_err(|e| self.context.error(e))?;
        let mut found = faults.chunks_exact(8).zip(&recording.checks).map(|(bytes, check)| {
            let word = |i: usize| {
                let mut word = [0; 4];
                word.copy_from_slice(&bytes[i..i + 4]);
                u32::from_ne_bytes(word)
            };
            (word(0), word(4), check)
        });
        let Some((position, index, check)) = found.find(|(position, ..)| *position != u32::MAX)
        else {
            return Ok(());
        };
        let index = match check.says_index {
            true => Some(index).filter(|index| *index != u32::MAX),
            false => self.integer(check, position as usize)?,
        };
        Err(Error::IndexOutOfRange {
            what: format!("{} {position}", check.what),
            index: index.map_or(usize::MAX, |index| index as usize),
            size: check.size,
        })
    }

    /// The integer that a row was given and that is too large; `None` where its index was computed.
    fn integer(&self, check: &Check, row: usize) -> Result<Option<u32>> {
        for (span, strides, grid) in &check.integers {
            let (mut rest, mut place) = (row, span.offset);
            for axis in (0..4).rev() {
                place += rest % grid[axis] * strides[axis];
                rest /= grid[axis];
            }
            let Some(bound) = self.buffers.get(span.slot) else { continue };
            let mut bytes = [0; 4];
            self.context.download(&bound.raw.buffer, 4 * place, &mut bytes)?;
            let integer = u32::from_ne_bytes(bytes);
            if integer as usize >= check.size {
                return Ok(Some(integer));
            }
        }
        Ok(None)
    }
}

fn record_dispatch(
    commands: &mut RecordingCommandBuffer,
    dispatch: &Dispatch,
    pipeline: &Pipeline,
    set: &DescriptorSet,
) {
    let point = PipelineBindPoint::Compute;
    // SAFETY: the set and the constants are those of the pipeline's layout, the groups within every device's limits,
    // and the kernel touches only elements of spans that the run has checked.
    unsafe {
        commands.bind_pipeline_compute_unchecked(&pipeline.pipeline);
        commands.bind_descriptor_sets_unchecked(point, &pipeline.layout, 0, &[set.as_raw()], &[]);
        commands.push_constants_unchecked(&pipeline.layout, 0, &dispatch.words);
        commands.dispatch_unchecked(dispatch.groups);
    }
}
