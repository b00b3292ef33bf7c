//! Rows by index into a buffer. They are only noted, and copied by the next pass that the buffer is bound to, before its
//! own kernels: a batch costs no submission of its own.
//!
//! What would see that they are late has them copied at once: a read of the buffer, and a change of what they are
//! copied from. So those that are noted do not depend on each other, and each buffer has one at most.

use netform_core::device::Counter;
use netform_core::error::Result;

use crate::bound::Buffers;
use crate::context::{Context, lock};
use crate::memory::Storage;
use crate::run::VulkanRun;
use crate::tape::Rows;

/// How many gathers a pass makes itself; a pass of their own makes each of the others.
pub(crate) const MOST_GATHERS: usize = 4;

/// The places of a gather's buffers.
pub(crate) const FROM: usize = 0;
pub(crate) const ROWS: usize = 1;
pub(crate) const TO: usize = 2;

/// A buffer that is kept until its rows have been copied.
#[derive(Clone)]
pub(crate) struct Held {
    pub id: u64,
    pub storage: Storage,
    /// Its elements, of four bytes each.
    pub words: usize,
}

/// Rows that are to be copied. There is at least one word.
#[derive(Clone)]
pub(crate) struct Gather {
    pub held: [Held; 3],
    /// The words of a row.
    pub width: usize,
    /// The place of the first index, and how many there are.
    pub first: usize,
    pub count: usize,
    /// Whether one of the first two buffers is gone: a pass that copies from it is not used again.
    pub orphaned: bool,
}

impl Gather {
    /// Whether it reads a buffer.
    fn reads(&self, id: u64) -> bool {
        self.held[FROM].id == id || self.held[ROWS].id == id
    }

    pub fn to(&self) -> u64 {
        self.held[TO].id
    }

    fn words(&self) -> usize {
        self.width * self.count
    }

    /// What is the same of it in each repetition of a pass.
    pub fn rows(&self) -> Rows {
        let Gather { width, count, .. } = *self;
        let [size, indices] = [self.held[FROM].words / width, self.held[ROWS].words];
        Rows { width, size, count, indices }
    }

    /// The numbers of its buffers.
    pub fn ids(&self) -> [u64; 3] {
        [FROM, ROWS, TO].map(|place| self.held[place].id)
    }
}

impl Context {
    /// Notes a gather.
    pub fn gather(&self, gather: Gather) -> Result<()> {
        let to = gather.to();
        let mut noted = lock(&self.gathers);
        self.make(&mut noted, |other| gather.reads(other.to()) || other.reads(to))?;
        self.replace(&mut noted, to, gather.words())?;
        // As a write would: what is found wrong in a pass is read where the pass has read it.
        self.settle(to)?;
        noted.push(gather);
        Ok(())
    }

    /// Has a buffer hold what was gathered into it.
    pub fn before_read(&self, id: u64) -> Result<()> {
        self.make(&mut lock(&self.gathers), |gather| gather.to() == id)
    }

    /// Prepares a buffer for a write over its first `words`, or, where these are 0, over any others.
    pub fn before_write(&self, id: u64, words: usize) -> Result<()> {
        let mut noted = lock(&self.gathers);
        self.make(&mut noted, |gather| gather.reads(id))?;
        self.replace(&mut noted, id, words)
    }

    /// Drops what was to be gathered into a buffer whose first `words` are overwritten next; makes it if it is more.
    fn replace(&self, noted: &mut Vec<Gather>, id: u64, words: usize) -> Result<()> {
        noted.retain(|gather| gather.to() != id || gather.words() > words);
        self.make(noted, |gather| gather.to() == id)
    }

    /// Forgets a buffer that is about to vanish. What is copied from it keeps its memory for so long.
    pub fn forget_gathers(&self, id: u64) {
        let mut noted = lock(&self.gathers);
        noted.retain(|gather| gather.to() != id);
        noted.iter_mut().for_each(|gather| gather.orphaned |= gather.reads(id));
    }

    /// Makes those that `which` chooses, each in a pass of its own.
    fn make(&self, noted: &mut Vec<Gather>, which: impl Fn(&Gather) -> bool) -> Result<()> {
        while let Some(i) = noted.iter().position(&which) {
            let gather = noted.remove(i);
            let mut run = VulkanRun::new(self, Buffers::none(), Counter::default());
            run.adopt(&gather);
            run.end(|run| run.execute_alone())?;
        }
        Ok(())
    }
}

impl VulkanRun<'_> {
    /// Puts a gather before the calls, where there is room for it.
    fn adopt(&mut self, gather: &Gather) -> bool {
        let added = self.buffers.add(gather);
        if added {
            self.tape.gathers.push(gather.rows());
            // Not more are kept: their indices are of 32 bits too.
            self.tape.firsts.push(gather.first as u32);
        }
        added
    }

    fn makes(&self, gather: &Gather) -> bool {
        self.buffers.gathers().any(|other| other.to() == gather.to())
    }

    /// Puts what is noted for the pass's buffers before its calls, and makes what the pass would change; says whether
    /// there is any of the former.
    pub(crate) fn adopt_all(&mut self, noted: &mut Vec<Gather>) -> Result<bool> {
        let mut any = false;
        for gather in noted.iter() {
            any |= self.buffers.have(gather.to()) && self.adopt(gather);
        }
        let written = |gather: &Gather| {
            let bound = self.buffers.have(gather.to());
            bound || gather.held[..TO].iter().any(|held| self.buffers.writes(held.id))
        };
        self.context.make(noted, |gather| written(gather) && !self.makes(gather))?;
        Ok(any)
    }

    /// Forgets what the pass has copied, once it is submitted.
    pub(crate) fn adopted(&self, noted: &mut Vec<Gather>) {
        noted.retain(|gather| !self.makes(gather));
    }
}
