//! Recorded commands to the queue, and the wait for their end.

use std::sync::atomic::Ordering;

use netform_core::error::Result;
use vulkano::VulkanObject;
use vulkano::command_buffer::{
    CommandBuffer, CommandBufferBeginInfo, CommandBufferLevel, CommandBufferUsage,
    RecordingCommandBuffer,
};
use vulkano::sync::fence::Fence;
use vulkano::sync::{AccessFlags, DependencyInfo, MemoryBarrier, PipelineStages};

use super::{Context, lock, why};

impl Context {
    /// Begins commands that can be submitted again and again.
    pub fn record(&self) -> Result<RecordingCommandBuffer> {
        RecordingCommandBuffer::new(
            self.commands.clone(),
            self.queue.queue_family_index(),
            CommandBufferLevel::Primary,
            CommandBufferBeginInfo {
                usage: CommandBufferUsage::MultipleSubmit,
                ..CommandBufferBeginInfo::default()
            },
        )
        .map_err(|e| self.error(format!("commands cannot be recorded: {}", why(&e))))
    }

    /// A fence that nothing waits for and nothing has signalled.
    pub fn fence(&self) -> Result<Fence> {
        let spare = lock(&self.fences).pop();
        match spare {
            Some(fence) => Ok(fence),
            None => {
                Fence::new(self.device.clone(), Default::default()).map_err(|e| self.failed(&e))
            }
        }
    }

    /// Submits commands, which signal the fence at their end.
    ///
    /// # Safety
    /// The commands are not pending, and neither they nor what they use is dropped or changed before they have run.
    /// The fence is not signalled, and nothing else submits with it.
    pub unsafe fn enqueue(&self, commands: &CommandBuffer, fence: &Fence) -> Result<()> {
        let handles = [commands.handle()];
        let info = ash::vk::SubmitInfo::default().command_buffers(&handles);
        let functions = self.device.fns();
        // SAFETY: the commands are of this device; the rest is the caller's promise. `with` holds the queue's lock.
        let submit = || unsafe {
            (functions.v1_0.queue_submit)(self.queue.handle(), 1, &info, fence.handle())
        };
        let submitted = match self.loss.refuses() {
            true => ash::vk::Result::ERROR_DEVICE_LOST,
            false => self.queue.with(|_| self.clock.submitting(submit)),
        };
        self.submissions.fetch_add(1, Ordering::Relaxed);
        submitted.result().map_err(|e| self.failed(&e))
    }

    /// Submits commands and waits until they have run.
    pub fn submit(&self, commands: &CommandBuffer) -> Result<()> {
        let fence = self.fence()?;
        // SAFETY: who holds the commands waits here; the fence is from those that nothing uses.
        unsafe { self.enqueue(commands, &fence) }?;
        self.wait(&fence)?;
        // SAFETY: the commands that signal it have run.
        unsafe { fence.reset() }.map_err(|e| self.failed(&e))?;
        lock(&self.fences).push(fence);
        Ok(())
    }
}

/// A barrier between everything of kernels, copies and the host that has been written, and everything that reads or
/// writes it then. The number of groups of a dispatch is read in a stage of its own.
pub(crate) fn barrier() -> DependencyInfo {
    let stages = PipelineStages::COMPUTE_SHADER
        | PipelineStages::ALL_TRANSFER
        | PipelineStages::DRAW_INDIRECT
        | PipelineStages::HOST;
    let writes = AccessFlags::SHADER_WRITE | AccessFlags::TRANSFER_WRITE | AccessFlags::HOST_WRITE;
    let reads = AccessFlags::SHADER_READ
        | AccessFlags::TRANSFER_READ
        | AccessFlags::INDIRECT_COMMAND_READ
        | AccessFlags::HOST_READ;
    let memory = MemoryBarrier {
        src_stages: stages,
        src_access: writes,
        dst_stages: stages,
        dst_access: reads | writes,
        ..MemoryBarrier::default()
    };
    DependencyInfo { memory_barriers: [memory].into_iter().collect(), ..DependencyInfo::default() }
}
