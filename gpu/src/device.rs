//! Vulkan as a device: how passes begin and end.

use netform_core::device::{Bindings, Device, Memory, Run, Slot, Span, VALUES};
use netform_core::error::Result;

use crate::bound::{Buffers, identities};
use crate::context::{Vulkan, lock};
use crate::memory::VulkanBuffer;
use crate::record::{AHEAD, VulkanTicket};
use crate::repeat::VulkanMemo;
use crate::run::VulkanRun;

impl Device<f32> for Vulkan {
    type Run<'a> = VulkanRun<'a>;
    type Ticket = VulkanTicket;
    type Memo = VulkanMemo;
    const AHEAD: usize = AHEAD;
    const REPEATS: bool = true;

    fn run<'a>(&'a self, mut bindings: Bindings<'a, f32, Self>) -> VulkanRun<'a> {
        let (counter, watch) = (bindings.counter, bindings.watch.take());
        let name = bindings.name;
        let run = VulkanRun::new(&self.context, Buffers::new(bindings), counter);
        VulkanRun { name, watch, ..run }
    }

    fn post(
        &self,
        mut run: VulkanRun<'_>,
        value: Span,
        kept: Option<Span>,
        memo: &mut VulkanMemo,
    ) -> Result<VulkanTicket> {
        memo.forget();
        let value = Span { len: value.len.min(VALUES), ..value };
        run.reads(value, &[value.len]);
        if let Some(kept) = kept {
            run.reads(kept, &[kept.len]);
        }
        run.end(|run| run.post(&self.context, value, kept, memo))
    }

    fn remembers(&self, memo: &VulkanMemo, bindings: &Bindings<'_, f32, Self>) -> bool {
        self.context.repeats && memo.is_of(self.context.number, identities(bindings))
    }

    fn repeat(
        &self,
        memo: &mut VulkanMemo,
        bindings: &Bindings<'_, f32, Self>,
        changing: impl FnOnce(&mut VulkanRun<'_>),
    ) -> Result<Option<VulkanTicket>> {
        if !self.remembers(memo, bindings) {
            return Ok(None);
        }
        let mut run = VulkanRun::again(&self.context, memo.comparison());
        changing(&mut run);
        let same = run.is_the_same();
        drop(run);
        if same { self.context.repeat(memo, &bindings.counter) } else { Ok(None) }
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
        self.context.count_noted(self.tape.calls.len());
        self.tape.clear();
        lock(&self.context.tapes).push(std::mem::take(&mut self.tape));
        result
    }
}

impl Run for VulkanRun<'_> {
    fn changing(&mut self, kernels: impl FnOnce(&mut Self)) {
        let from = self.tape.marks();
        kernels(self);
        let before = self.changing.replace([from, self.tape.marks()]);
        if before.is_some() {
            self.broken(Span::new(Slot::Workspace, 0, 0), "two parts of a pass that change");
        }
    }

    fn finish(self) -> Result<()> {
        self.end(|run| if run.tape.calls.is_empty() { Ok(()) } else { run.execute() })
    }
}
