//! Recorded commands to the queue, and the wait for their end.

use netform_core::error::Result;
use vulkano::VulkanObject;
use vulkano::command_buffer::{
    CommandBuffer, CommandBufferBeginInfo, CommandBufferLevel, CommandBufferUsage,
    RecordingCommandBuffer,
};
use vulkano::sync::fence::Fence;
use vulkano::sync::{AccessFlags, DependencyInfo, MemoryBarrier, PipelineStages};

use super::{Context, lock};

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
        .map_err(|e| self.error(format!("commands cannot be recorded: {e}")))
    }

    /// Submits commands and waits until they have run.
    pub fn submit(&self, commands: &CommandBuffer) -> Result<()> {
        let lost = |e: &dyn std::fmt::Display| self.error(format!("the device is lost: {e}"));
        let fence = lock(&self.fences).pop();
        let fence = match fence {
            Some(fence) => fence,
            None => Fence::new(self.device.clone(), Default::default()).map_err(|e| lost(&e))?,
        };
        let handles = [commands.handle()];
        let info = ash::vk::SubmitInfo::default().command_buffers(&handles);
        let functions = self.device.fns();
        // SAFETY: the commands belong to this device and are not pending: who holds them waits here. The fence is
        // not signalled and nothing else uses it. `with` holds the queue's lock.
        let submitted = self.queue.with(|_| unsafe {
            (functions.v1_0.queue_submit)(self.queue.handle(), 1, &info, fence.handle())
        });
        submitted.result().map_err(|e| lost(&e))?;
        fence.wait(None).map_err(|e| lost(&e))?;
        // SAFETY: the commands that signal it have run.
        unsafe { fence.reset() }.map_err(|e| lost(&e))?;
        lock(&self.fences).push(fence);
        Ok(())
    }
}

/// A barrier between everything of kernels, copies and the host that has been written, and everything that reads or
/// writes it then.
pub(crate) fn barrier() -> DependencyInfo {
    let stages =
        PipelineStages::COMPUTE_SHADER | PipelineStages::ALL_TRANSFER | PipelineStages::HOST;
    let writes = AccessFlags::SHADER_WRITE | AccessFlags::TRANSFER_WRITE | AccessFlags::HOST_WRITE;
    let reads = AccessFlags::SHADER_READ | AccessFlags::TRANSFER_READ | AccessFlags::HOST_READ;
    let memory = MemoryBarrier {
        src_stages: stages,
        src_access: writes,
        dst_stages: stages,
        dst_access: reads | writes,
        ..MemoryBarrier::default()
    };
    DependencyInfo { memory_barriers: [memory].into_iter().collect(), ..DependencyInfo::default() }
}
