//! Elements in the memory of a device: buffers, and copies from and to them.

mod staging;
mod storage;
mod words;

use std::marker::PhantomData;
use std::sync::Arc;

use netform_core::device::{Memory, check_gather};
use netform_core::element::Element;
use netform_core::error::{Error, Result};
use vulkano::buffer::{AllocateBufferError, Buffer, BufferCreateInfo, BufferUsage, Subbuffer};
use vulkano::memory::allocator::{
    AllocationCreateInfo, DeviceLayout, MemoryAllocatePreference, MemoryAllocatorError,
    MemoryTypeFilter,
};
use vulkano::{Validated, VulkanError};

use crate::context::{Context, Vulkan, lock, why};
use crate::gather::{Gather, Held};

pub(crate) use staging::{Staging, Upload};
pub(crate) use storage::Storage;
pub(crate) use words::{Words, word};

/// Elements in the memory of a Vulkan device.
pub struct VulkanBuffer<T> {
    raw: Raw,
    len: usize,
    elements: PhantomData<T>,
}

/// A buffer's memory. Kernels see whole groups of four elements of four bytes.
pub(crate) struct Raw {
    /// A number that no other buffer of the device has.
    pub id: u64,
    pub storage: Storage,
    context: Arc<Context>,
}

impl Drop for Raw {
    /// Recorded commands would keep the memory.
    fn drop(&mut self) {
        self.context.forget_gathers(self.id);
        let forgotten = lock(&self.context.recordings).forget(self.id);
        drop(forgotten);
        staging::forget(&self.context, self.id);
    }
}

impl<T> VulkanBuffer<T> {
    pub(crate) fn raw(&self) -> &Raw {
        &self.raw
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn held(&self) -> Held {
        let words = self.len * (size_of::<T>() / WORD);
        Held { id: self.raw.id, storage: self.raw.storage.clone(), words }
    }
}

/// The bytes of what a gather copies at once, of which elements have some.
const WORD: usize = 4;

/// Buffers begin and end at multiples of so many bytes.
const GRAIN: u64 = 16;

impl Context {
    /// One allocation that kernels use, and the processor too where `mapped`. Its content is undefined.
    pub fn allocate(&self, bytes: u64, mapped: bool) -> Result<Subbuffer<[u8]>> {
        self.check_lost()?;
        let bytes = bytes.max(1).next_multiple_of(GRAIN);
        let short = |advice: String| self.short(bytes, advice);
        let most = self.info.allocation_bytes.min(self.info.memory_bytes);
        if bytes > most {
            return Err(short(format!(": it gives at most {most} at once")));
        }
        let host =
            if mapped { MemoryTypeFilter::HOST_RANDOM_ACCESS } else { MemoryTypeFilter::empty() };
        let create = BufferCreateInfo {
            usage: BufferUsage::STORAGE_BUFFER
                | BufferUsage::INDIRECT_BUFFER
                | BufferUsage::TRANSFER_SRC
                | BufferUsage::TRANSFER_DST,
            ..BufferCreateInfo::default()
        };
        let allocation = AllocationCreateInfo {
            memory_type_filter: MemoryTypeFilter::PREFER_DEVICE | host,
            allocate_preference: MemoryAllocatePreference::Unknown,
            ..AllocationCreateInfo::default()
        };
        let layout =
            DeviceLayout::from_size_alignment(bytes, GRAIN).ok_or_else(|| short(String::new()))?;
        let buffer =
            Buffer::new(self.memory.clone(), create, allocation, layout).map_err(|e| match e {
                Validated::Error(AllocateBufferError::AllocateMemory(
                    MemoryAllocatorError::AllocateDeviceMemory(Validated::Error(
                        VulkanError::OutOfDeviceMemory | VulkanError::OutOfHostMemory,
                    ))
                    | MemoryAllocatorError::OutOfPoolMemory,
                )) => short(String::new()),
                other => {
                    self.error(format!("a buffer of {bytes} bytes cannot be made: {}", why(&other)))
                }
            })?;
        Ok(Subbuffer::new(buffer))
    }

    /// Memory of at least so many bytes that all passes share, one after another.
    pub fn scratch(&self, bytes: u64) -> Result<Storage> {
        let mut scratch = lock(&self.scratch);
        match &*scratch {
            Some(storage) if storage.bytes() >= bytes => Ok(storage.clone()),
            _ => {
                // Who has recorded commands with the smaller one keeps it.
                let storage = self.store(bytes, false)?;
                *scratch = Some(storage.clone());
                Ok(storage)
            }
        }
    }

    /// Copies `data` into a buffer from byte `offset` on.
    fn upload(&self, to: &Raw, offset: usize, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if !self.maps {
            return staging::upload(self, to, offset, data);
        }
        for piece in to.storage.pieces(offset, data.len()) {
            let mut target = piece.chunk.write().map_err(|e| self.error(e))?;
            target[piece.first..][..piece.range.len()].copy_from_slice(&data[piece.range]);
        }
        Ok(())
    }

    /// Copies a buffer from byte `offset` on into `data`.
    pub fn download(&self, from: &Storage, offset: usize, data: &mut [u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if !self.maps {
            return staging::download(self, from, offset, data);
        }
        for piece in from.pieces(offset, data.len()) {
            let source = piece.chunk.read().map_err(|e| self.error(e))?;
            let len = piece.range.len();
            data[piece.range].copy_from_slice(&source[piece.first..][..len]);
        }
        Ok(())
    }

    /// Memory for elements. Its content is undefined.
    fn elements<T: Element>(&self, len: usize) -> Result<Storage> {
        let bytes = u64::try_from(len.saturating_mul(size_of::<T>())).unwrap_or(u64::MAX);
        self.store(bytes, self.maps)
    }

    fn clear(&self, storage: &Storage) -> Result<()> {
        for chunk in storage.chunks() {
            match self.maps {
                true => chunk.write().map_err(|e| self.error(e))?.fill(0),
                false => staging::clear(self, chunk)?,
            }
        }
        Ok(())
    }
}

/// The bytes of elements.
fn bytes<T: Element>(data: &[T]) -> &[u8] {
    // SAFETY: `Element` is implemented by numbers only, of which every byte is initialised.
    unsafe { std::slice::from_raw_parts(data.as_ptr().cast(), size_of_val(data)) }
}

/// The bytes of elements.
fn bytes_mut<T: Element>(data: &mut [T]) -> &mut [u8] {
    // SAFETY: as above, and any bytes are such numbers.
    unsafe { std::slice::from_raw_parts_mut(data.as_mut_ptr().cast(), size_of_val(data)) }
}

/// The bytes of `len` elements from `offset` on, where the buffer has them.
fn place<T>(what: &str, buffer: &VulkanBuffer<T>, offset: usize, len: usize) -> Result<usize> {
    match offset.checked_add(len) {
        Some(end) if end <= buffer.len => Ok(offset * size_of::<T>()),
        _ => Err(Error::Size {
            what: what.to_owned(),
            expected: format!("a range within its {} elements", buffer.len),
            found: format!("{len} elements from {offset} on"),
        }),
    }
}

impl Memory for Vulkan {
    type Buffer<T: Element> = VulkanBuffer<T>;

    fn zeros<T: Element>(&self, len: usize) -> Result<VulkanBuffer<T>> {
        let context = &self.context;
        let storage = context.elements::<T>(len)?;
        context.clear(&storage)?;
        let raw = Raw { id: context.id(), storage, context: context.clone() };
        Ok(VulkanBuffer { raw, len, elements: PhantomData })
    }

    /// Without the time that zeros take.
    fn fits<T: Element>(&self, len: usize) -> bool {
        self.context.elements::<T>(len).is_ok()
    }

    fn len<T: Element>(&self, buffer: &VulkanBuffer<T>) -> usize {
        buffer.len
    }

    fn write<T: Element>(
        &self,
        buffer: &mut VulkanBuffer<T>,
        offset: usize,
        data: &[T],
    ) -> Result<()> {
        let first = place("writing to a buffer", buffer, offset, data.len())?;
        let from_start = if first == 0 { size_of_val(data) / WORD } else { 0 };
        self.context.before_write(buffer.raw.id, from_start)?;
        self.context.settle(buffer.raw.id)?;
        self.context.upload(&buffer.raw, first, bytes(data))
    }

    fn read<T: Element>(
        &self,
        buffer: &VulkanBuffer<T>,
        offset: usize,
        data: &mut [T],
    ) -> Result<()> {
        let first = place("reading from a buffer", buffer, offset, data.len())?;
        self.context.before_read(buffer.raw.id)?;
        self.context.settle(buffer.raw.id)?;
        self.context.download(&buffer.raw.storage, first, bytes_mut(data))
    }

    fn keeps(&self, bytes: &[usize]) -> bool {
        let bytes_of = |n: &usize| u64::try_from(*n).unwrap_or(u64::MAX);
        let total = bytes.iter().map(bytes_of).try_fold(0_u64, u64::checked_add);
        let counts = |n: &usize| *n / WORD <= self.context.windows.most();
        total.is_some_and(|total| total <= self.context.info.memory_bytes / 2)
            && bytes.iter().all(counts)
    }

    fn gather<T: Element>(
        &self,
        from: &VulkanBuffer<T>,
        width: usize,
        rows: &VulkanBuffer<u32>,
        first: usize,
        count: usize,
        to: &mut VulkanBuffer<T>,
    ) -> Result<()> {
        check_gather(width, rows.len, [first, count], to.len)?;
        const { assert!(size_of::<T>().is_multiple_of(WORD)) };
        let width = width * (size_of::<T>() / WORD);
        if width * count == 0 {
            return Ok(());
        }
        let held = [from.held(), rows.held(), to.held()];
        if let Some(large) =
            held.iter().map(|held| held.words).find(|n| *n > self.context.windows.most())
        {
            return Err(self.context.too_large(Some(large)));
        }
        self.context.gather(Gather { held, width, first, count, orphaned: false })
    }

    fn name(&self) -> String {
        format!("vulkan ({})", self.context.info.name)
    }
}
