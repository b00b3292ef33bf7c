//! Elements in the memory of a device: buffers, and copies from and to them.

mod staging;

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
    pub buffer: Subbuffer<[u8]>,
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
        Held { id: self.raw.id, buffer: self.raw.buffer.clone(), words }
    }
}

/// The bytes of what a gather copies at once, of which elements have some.
const WORD: usize = 4;

/// Buffers begin and end at multiples of so many bytes.
const GRAIN: u64 = 16;

impl Context {
    /// Memory that kernels use, and the processor too where `mapped`. Its content is undefined.
    pub fn allocate(&self, bytes: u64, mapped: bool) -> Result<Subbuffer<[u8]>> {
        let bytes = bytes.max(1).next_multiple_of(GRAIN);
        let short = |advice: String| Error::OutOfMemory {
            device: self.info.name.clone(),
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            advice,
        };
        let most = self.info.allocation_bytes.min(self.info.memory_bytes);
        if bytes > most.min(self.info.buffer_bytes) {
            return Err(short(match bytes > most {
                true => format!(": it gives at most {most} at once"),
                false => {
                    format!(" in one buffer: its kernels see at most {}", self.info.buffer_bytes)
                }
            }));
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
    pub fn scratch(&self, bytes: u64) -> Result<Subbuffer<[u8]>> {
        let mut scratch = lock(&self.scratch);
        match &*scratch {
            Some(buffer) if buffer.size() >= bytes => Ok(buffer.clone()),
            _ => {
                // Who has recorded commands with the smaller one keeps it.
                let buffer = self.allocate(bytes, false)?;
                *scratch = Some(buffer.clone());
                Ok(buffer)
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
        let mut target = to.buffer.write().map_err(|e| self.error(e))?;
        target[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }

    /// Copies a buffer from byte `offset` on into `data`.
    pub fn download(&self, buffer: &Subbuffer<[u8]>, offset: usize, data: &mut [u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if !self.maps {
            return staging::download(self, buffer, offset, data);
        }
        let source = buffer.read().map_err(|e| self.error(e))?;
        data.copy_from_slice(&source[offset..offset + data.len()]);
        Ok(())
    }

    fn clear(&self, buffer: &Subbuffer<[u8]>) -> Result<()> {
        if !self.maps {
            return staging::clear(self, buffer);
        }
        buffer.write().map_err(|e| self.error(e))?.fill(0);
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
        let count = len.checked_mul(size_of::<T>()).and_then(|n| u64::try_from(n).ok());
        let count = count.filter(|n| *n < u64::MAX - GRAIN).ok_or_else(|| Error::OutOfMemory {
            device: context.info.name.clone(),
            bytes: len.saturating_mul(size_of::<T>()),
            advice: String::new(),
        })?;
        let buffer = context.allocate(count, context.maps)?;
        context.clear(&buffer)?;
        let raw = Raw { id: context.id(), buffer, context: context.clone() };
        Ok(VulkanBuffer { raw, len, elements: PhantomData })
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
        self.context.download(&buffer.raw.buffer, first, bytes_mut(data))
    }

    fn keeps(&self, bytes: &[usize]) -> bool {
        let info = &self.context.info;
        let most = info.buffer_bytes.min(info.allocation_bytes);
        let bytes = || bytes.iter().map(|&n| u64::try_from(n).unwrap_or(u64::MAX));
        let total = bytes().try_fold(0_u64, u64::checked_add);
        total.is_some_and(|total| total <= info.memory_bytes / 2) && bytes().all(|n| n <= most)
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
        self.context.gather(Gather { held, width, first, count, orphaned: false })
    }

    fn name(&self) -> String {
        format!("vulkan ({})", self.context.info.name)
    }
}
