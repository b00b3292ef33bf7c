//! Vulkan as a device: how passes begin and end.

use netform_core::device::{Bindings, Device, Memory, Run, Span, VALUES};
use netform_core::error::Result;

use crate::bound::Buffers;
use crate::context::{Vulkan, lock};
use crate::memory::VulkanBuffer;
use crate::record::{AHEAD, VulkanTicket};
use crate::run::VulkanRun;

impl Device<f32> for Vulkan {
    type Run<'a> = VulkanRun<'a>;
    type Ticket = VulkanTicket;
    const AHEAD: usize = AHEAD;

    fn run<'a>(&'a self, mut bindings: Bindings<'a, f32, Self>) -> VulkanRun<'a> {
        let (counter, watch) = (bindings.counter, bindings.watch.take());
        let run = VulkanRun::new(&self.context, Buffers::new(bindings), counter);
        VulkanRun { watch, ..run }
    }

    fn post(
        &self,
        mut run: VulkanRun<'_>,
        value: Span,
        kept: Option<Span>,
    ) -> Result<VulkanTicket> {
        let value = Span { len: value.len.min(VALUES), ..value };
        run.reads(value, &[value.len]);
        if let Some(kept) = kept {
            run.reads(kept, &[kept.len]);
        }
        run.end(|run| run.post(&self.context, value, kept))
    }

    fn wait(&self, ticket: &VulkanTicket) -> Result<[f32; VALUES]> {
        self.context.values(ticket)
    }

    fn kept(
        &self,
        ticket: &VulkanTicket,
        buffer: &VulkanBuffer<f32>,
        offset: usize,
        out: &mut [f32],
    ) -> Result<()> {
        match self.context.more(ticket, out)? {
            Some(()) => Ok(()),
            None => self.read(buffer, offset, out),
        }
    }
}

impl VulkanRun<'_> {
    /// Ends the run by `end`, unless a call was wrong, and gives the tape back.
    pub(crate) fn end<T>(mut self, end: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let result = match self.fault.take() {
            Some(fault) => Err(fault),
            None => end(&mut self),
        };
        self.tape.clear();
        lock(&self.context.tapes).push(std::mem::take(&mut self.tape));
        result
    }
}

impl Run for VulkanRun<'_> {
    fn finish(self) -> Result<()> {
        self.end(|run| if run.tape.calls.is_empty() { Ok(()) } else { run.execute() })
    }
}
