//! Words that the processor and kernels share: written before commands are submitted, read when they have run.
//!
//! vulkano's guards look for whoever else uses the memory, by locks and a map of ranges, which takes longer than all else
//! that the processor does for a training step. Here nobody else does: a recording has its words alone, and touches them
//! only while its commands do not run.

use std::ptr::NonNull;

use netform_core::error::Result;
use vulkano::buffer::{BufferMemory, Subbuffer};

use crate::context::Context;

/// Words of memory that the processor sees.
pub(crate) struct Words {
    /// Where they are mapped, if both sides see at once what the other one writes. Where not, guards do what is needed
    /// for it. The way there through the buffer is longer than what is done there.
    mapped: Option<NonNull<[u8]>>,
    buffer: Subbuffer<[u8]>,
}

// SAFETY: they stay mapped as long as the buffer lives, which is here and may be used by any thread; who writes has them
// alone (`&mut`).
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

/// Words as bytes, in the order of the processor.
fn store(bytes: &mut [u8], words: impl Iterator<Item = u32>) {
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
}

/// Word number `i` of bytes.
pub(crate) fn word(bytes: &[u8], i: usize) -> u32 {
    u32::from_ne_bytes(std::array::from_fn(|j| bytes[4 * i + j]))
}

impl Words {
    pub fn new(context: &Context, count: usize) -> Result<Self> {
        let buffer = context.allocate(4 * count as u64, true)?;
        let mapped = match buffer.buffer().memory() {
            BufferMemory::Normal(memory) if memory.atom_size().is_none() => {
                Some(buffer.mapped_slice().map_err(|e| context.error(e))?)
            }
            _ => None,
        };
        Ok(Words { mapped, buffer })
    }

    pub fn buffer(&self) -> &Subbuffer<[u8]> {
        &self.buffer
    }

    /// How many words there are, at least.
    pub fn count(&self) -> usize {
        // It has been allocated: it can be counted.
        self.buffer.size() as usize / 4
    }

    /// Writes words from number `first` on.
    ///
    /// # Safety
    /// No command that uses them is under way.
    pub unsafe fn write(
        &mut self,
        context: &Context,
        first: usize,
        words: impl Iterator<Item = u32>,
    ) -> Result<()> {
        let Some(mut bytes) = self.mapped else {
            store(&mut self.buffer.write().map_err(|e| context.error(e))?[4 * first..], words);
            return Ok(());
        };
        // SAFETY: the slice is mapped as long as the buffer lives; whoever has `self` has it alone, and by the caller's
        // promise no command that runs uses it.
        store(unsafe { &mut bytes.as_mut()[4 * first..] }, words);
        Ok(())
    }

    /// Calls `f` with all of them as bytes: [`word`] is one.
    ///
    /// # Safety
    /// No command that writes them is under way.
    pub unsafe fn read<R>(&self, context: &Context, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let Some(bytes) = self.mapped else {
            return Ok(f(&self.buffer.read().map_err(|e| context.error(e))?));
        };
        // SAFETY: as above, and nobody else writes: that takes `self` alone.
        Ok(f(unsafe { bytes.as_ref() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Vulkan;

    #[test]
    fn words_are_those_that_guards_see() {
        let vulkan = match Vulkan::new() {
            Ok(vulkan) => vulkan,
            Err(e) if std::env::var("NETFORM_REQUIRE_VULKAN").is_ok_and(|v| v == "1") => {
                panic!("{e}")
            }
            Err(_) => return,
        };
        let context = &vulkan.context;
        let mut words = Words::new(context, 7).unwrap();
        let numbers = [3, u32::MAX, 0, 1 << 31, 5, 6, 7];
        let all = |bytes: &[u8]| std::array::from_fn::<_, 7, _>(|i| word(bytes, i));
        for mapped in [words.mapped, None] {
            words.mapped = mapped;
            // SAFETY: no commands use them.
            unsafe { words.write(context, 0, numbers.into_iter()) }.unwrap();
            // SAFETY: as above.
            unsafe { words.write(context, 5, [8, 9].into_iter()) }.unwrap();
            let expected = [3, u32::MAX, 0, 1 << 31, 5, 8, 9];
            // SAFETY: as above.
            assert_eq!(unsafe { words.read(context, all) }.unwrap(), expected);
            assert_eq!(all(&words.buffer.read().unwrap()), expected);
        }
    }
}
