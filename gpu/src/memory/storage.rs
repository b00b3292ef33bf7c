//! The memory of a buffer: one allocation, or several side by side where a device gives no such large one.

use std::ops::Range;
use std::sync::Arc;

use netform_core::error::{Error, Result};
use vulkano::buffer::Subbuffer;

use super::GRAIN;
use crate::context::Context;

/// Bytes in one allocation or several. Copies share them.
#[derive(Clone)]
pub(crate) struct Storage {
    /// All of them but the last are equally large.
    chunks: Arc<[Subbuffer<[u8]>]>,
    bytes: u64,
}

/// Bytes of one allocation, and what they are in the whole that is asked for.
pub(crate) struct Piece<'s> {
    pub chunk: &'s Subbuffer<[u8]>,
    /// Where they begin in the allocation, and in the whole.
    pub first: usize,
    pub range: Range<usize>,
}

impl Storage {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn chunks(&self) -> &[Subbuffer<[u8]>] {
        &self.chunks
    }

    fn chunk_bytes(&self) -> u64 {
        self.chunks[0].size()
    }

    /// What kernels see by a binding that begins at `first` and spans at most `most` bytes; `None` beyond the end.
    pub fn window(&self, first: u64, most: u64) -> Option<Subbuffer<[u8]>> {
        let each = self.chunk_bytes();
        let chunk = self.chunks.get(usize::try_from(first / each).ok()?)?;
        let first = first % each;
        let end = chunk.size().min(first.saturating_add(most));
        (first < end).then(|| chunk.clone().slice(first..end))
    }

    /// The bytes from `first` on, allocation by allocation.
    pub fn pieces(&self, first: usize, bytes: usize) -> impl Iterator<Item = Piece<'_>> {
        // What has been allocated can be counted.
        let each = self.chunk_bytes() as usize;
        let end = first + bytes;
        let chunks = (first / each..end.div_ceil(each)).zip(&self.chunks[first / each..]);
        chunks.map(move |(i, chunk)| {
            let [from, to] = [first.max(i * each), end.min((i + 1) * each)];
            Piece { chunk, first: from - i * each, range: from - first..to - first }
        })
    }
}

impl Context {
    /// Memory of any size that kernels use, and the processor too where `mapped`. Its content is undefined.
    pub fn store(&self, bytes: u64, mapped: bool) -> Result<Storage> {
        let most = self.info.memory_bytes;
        if bytes > most {
            return Err(self.short(bytes, format!(": it has {most} in all")));
        }
        let total = bytes.max(1).next_multiple_of(GRAIN);
        let each = 4 * self.windows.chunk as u64;
        let sizes = (0..total.div_ceil(each)).map(|i| each.min(total - i * each));
        let chunks = sizes.map(|size| self.allocate(size, mapped)).collect::<Result<_>>();
        let chunks = chunks.map_err(|error| match error {
            // Not only the part that there was no room for any more.
            Error::OutOfMemory { advice, .. } => self.short(total, advice),
            other => other,
        })?;
        Ok(Storage { chunks, bytes: total })
    }

    /// The error of a tensor that kernels cannot count, of `None` where nobody can.
    pub fn too_large(&self, elements: Option<usize>) -> Error {
        let most = self.windows.most();
        let size = elements.map_or("more than can be counted".to_owned(), |n| n.to_string());
        self.error(format!(
            "a tensor's elements are {size}, and kernels count {most} of one at most; a smaller batch, or several smaller tensors, help"
        ))
    }

    /// The error where there is no room.
    pub fn short(&self, bytes: u64, advice: String) -> Error {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Error::OutOfMemory { device: self.info.name.clone(), bytes, advice }
    }
}
