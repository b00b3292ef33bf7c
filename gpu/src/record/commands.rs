//! The commands of a pass: its dispatches with barriers between them, and copies of what is kept of it.

use std::sync::Arc;

use netform_core::device::Span;
use netform_core::error::Result;
use vulkano::buffer::Subbuffer;
use vulkano::command_buffer::{
    BufferCopy, CopyBufferInfo, DispatchIndirectCommand, RecordingCommandBuffer,
};
use vulkano::descriptor_set::{DescriptorSet, WriteDescriptorSet};
use vulkano::pipeline::PipelineBindPoint;

use super::hazards::Hazards;
use super::{Flight, Recording, Suspect};
use crate::bound::SLOTS;
use crate::context::{DeviceKind, barrier, lock, why};
use crate::kernels::{Check, Limits, Program};
use crate::memory::{Storage, Words};
use crate::run::VulkanRun;
use crate::shader::{Binding, Dispatch, Pipeline, first_of_gather};

/// The bytes of the groups of a dispatch.
const GROUPS: u64 = size_of::<DispatchIndirectCommand>() as u64;

/// The buffers of a recording itself.
struct Own {
    numbers: Words,
    faults: Words,
    groups: Subbuffer<[u8]>,
    scratch: Storage,
}

impl VulkanRun<'_> {
    pub(super) fn record(&self, plan: u64, ids: [u64; SLOTS]) -> Result<Recording> {
        let info = &self.context.info;
        let limits = Limits {
            shared_bytes: info.shared_bytes,
            unrolls: info.kind != DeviceKind::Cpu,
            subgroup: self.context.subgroup.map(|size| size as usize),
            windows: self.context.windows,
        };
        let Program { dispatches, checks, conditional, scratch, gathering, .. } =
            Program::of(&self.tape, limits).map_err(|problem| self.context.error(problem))?;
        let words = first_of_gather(&self.tape, self.tape.gathers.len());
        let own = Own {
            numbers: Words::new(self.context, words)?,
            faults: Words::new(self.context, 2 * checks.len())?,
            groups: self.context.allocate(GROUPS * conditional as u64, false)?,
            scratch: self.context.scratch(4 * scratch.end() as u64)?,
        };
        let mut commands = self.context.record()?;
        let (mut sets, mut pipelines, mut hazards) = (vec![], vec![], Hazards::default());
        let between = barrier();
        // SAFETY: the barrier is one of the whole memory, between stages that every queue has.
        unsafe { commands.pipeline_barrier_unchecked(&between) };
        for (i, dispatch) in dispatches.iter().enumerate() {
            // What is gathered in front does not depend on each other, and may be bound to other slots as well.
            if i == gathering && i > 0 || i > gathering && hazards.conflict(dispatch) {
                // SAFETY: as above.
                unsafe { commands.pipeline_barrier_unchecked(&between) };
                hazards.clear();
            }
            hazards.add(dispatch);
            let pipeline = self.context.pipeline(dispatch)?;
            let set = self.set(dispatch, &pipeline, &own)?;
            record_dispatch(&mut commands, dispatch, &pipeline, &set, &own.groups);
            sets.push(set);
            pipelines.push(pipeline);
        }
        // SAFETY: as above; copies and the processor read what was written.
        unsafe { commands.pipeline_barrier_unchecked(&between) };
        let kept = self.keep(&mut commands)?;
        // SAFETY: what was recorded is valid: pipelines and sets are of the same layouts, and are kept with it.
        let commands = unsafe { commands.end() }.map_err(|e| self.context.error(e))?;
        lock(&self.context.recordings).recorded += 1;
        Ok(Recording {
            plan,
            written: 0,
            tape: self.tape.clone(),
            ids,
            commands,
            fence: Arc::new(self.context.fence()?),
            flight: Flight::None,
            serial: 0,
            wanted: false,
            orphaned: self.buffers.gathers().any(|gather| gather.orphaned),
            numbers: own.numbers,
            faults: own.faults,
            faulty: true,
            kept,
            suspects: checks.iter().map(|check| self.suspects(check)).collect(),
            checks,
            _sets: sets,
            _pipelines: pipelines,
        })
    }

    /// Copies what is kept of a pass into memory that the processor sees; a barrier has come before.
    fn keep(&self, commands: &mut RecordingCommandBuffer) -> Result<Option<Words>> {
        let Some(kept) = self.tape.kept else { return Ok(None) };
        let spans = [Some(kept.value), kept.more];
        let words: usize = spans.iter().flatten().map(|span| span.len).sum();
        let target = Words::new(self.context, words)?;
        let mut place = 0;
        for span in spans.iter().flatten().filter(|span| span.len > 0) {
            // Spans have been checked: a buffer is bound, and has these elements.
            let Some(bound) = self.buffers.get(span.slot) else { continue };
            for piece in bound.storage.pieces(4 * span.offset, 4 * span.len) {
                let region = BufferCopy {
                    src_offset: piece.first as u64,
                    dst_offset: (4 * place + piece.range.start) as u64,
                    size: piece.range.len() as u64,
                    ..BufferCopy::default()
                };
                let mut info =
                    CopyBufferInfo::buffers(piece.chunk.clone(), target.buffer().clone());
                info.regions = [region].into_iter().collect();
                // SAFETY: both ranges lie in their buffers, which are different ones.
                unsafe { commands.copy_buffer_unchecked(&info) };
            }
            place += span.len;
        }
        // SAFETY: a barrier of the whole memory; the processor reads what was copied.
        unsafe { commands.pipeline_barrier_unchecked(&barrier()) };
        Ok(Some(target))
    }

    /// The buffers of a dispatch.
    fn set(
        &self,
        dispatch: &Dispatch,
        pipeline: &Pipeline,
        own: &Own,
    ) -> Result<Arc<DescriptorSet>> {
        let most = 4 * self.context.windows.range as u64;
        let buffer = |binding: &Binding| match *binding {
            Binding::Numbers => own.numbers.buffer().clone(),
            Binding::Faults => own.faults.buffer().clone(),
            Binding::Groups => own.groups.clone(),
            Binding::Memory { slot, start, .. } => {
                let storage = match slot {
                    Some(slot) => self.buffers.get(slot).map(|bound| bound.storage),
                    None => Some(&own.scratch),
                };
                let window = storage.and_then(|storage| storage.window(4 * start as u64, most));
                // A span without elements may be where nothing is bound: any buffer does.
                window.unwrap_or_else(|| own.numbers.buffer().clone())
            }
        };
        let writes = (0..)
            .zip(&dispatch.bindings)
            .map(|(i, binding)| WriteDescriptorSet::buffer(i, buffer(binding)));
        DescriptorSet::new(self.context.sets.clone(), pipeline.set.clone(), writes, [])
            .map_err(|e| self.context.error(format!("buffers cannot be bound: {}", why(&e))))
    }

    /// Where the index may be read that a check has found wrong.
    fn suspects(&self, check: &Check) -> Vec<Suspect> {
        let of = |&(span, strides, grid): &(Span, [usize; 4], [usize; 4])| {
            let bound = self.buffers.get(span.slot)?;
            Some(Suspect { storage: bound.storage.clone(), first: span.offset, strides, grid })
        };
        check.integers.iter().filter_map(of).collect()
    }
}

fn record_dispatch(
    commands: &mut RecordingCommandBuffer,
    dispatch: &Dispatch,
    pipeline: &Pipeline,
    set: &DescriptorSet,
    groups: &Subbuffer<[u8]>,
) {
    let point = PipelineBindPoint::Compute;
    // SAFETY: the set and the constants are those of the pipeline's layout, the groups within every device's limits,
    // and the kernel touches only elements of spans that the run has checked. Groups that a kernel has written are those
    // of the dispatch or none, and the buffer has room for each of them.
    unsafe {
        commands.bind_pipeline_compute_unchecked(&pipeline.pipeline);
        commands.bind_descriptor_sets_unchecked(point, &pipeline.layout, 0, &[set.as_raw()], &[]);
        commands.push_constants_unchecked(&pipeline.layout, 0, &dispatch.words);
        match dispatch.condition {
            None => commands.dispatch_unchecked(dispatch.groups),
            Some(i) => {
                let first = GROUPS * i as u64;
                let groups = groups.clone().slice(first..first + GROUPS);
                commands.dispatch_indirect_unchecked(&groups.reinterpret())
            }
        };
    }
}
