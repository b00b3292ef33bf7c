//! Copies through memory that both sides see, for a device whose own memory the processor does not.
//!
//! What is written again and again (the batches of a training) has staging memory and recorded commands of its own, and
//! nobody waits for the copy: passes that are submitted later see it.

use netform_core::error::Result;
use vulkano::buffer::Subbuffer;
use vulkano::command_buffer::{BufferCopy, CommandBuffer, CopyBufferInfo, RecordingCommandBuffer};
use vulkano::sync::fence::Fence;

use super::{Raw, Storage};
use crate::context::{Context, barrier, lock, why};

/// The bytes that one copy moves at most.
const CHUNK: usize = 16 << 20;

/// The bytes of a copy, at most, that has memory of its own; and how many such copies there are.
const OWN_BYTES: usize = 4 << 20;
const OWN_COPIES: usize = 32;

/// Memory that both sides see.
pub(crate) struct Staging {
    buffer: Subbuffer<[u8]>,
}

/// A copy to one place of one buffer, which is submitted again and again.
pub(crate) struct Upload {
    /// The number of the buffer, the offset and the number of bytes.
    place: (u64, usize, usize),
    staging: Subbuffer<[u8]>,
    commands: CommandBuffer,
    fence: Fence,
    under_way: bool,
    /// What the commands use, which does not keep it alive.
    _target: Storage,
}

impl Drop for Upload {
    /// Commands that run are not to lose what they use.
    fn drop(&mut self) {
        if self.under_way {
            // Of a lost device nothing is left to wait for.
            let _ = self.fence.wait(None);
        }
    }
}

impl Upload {
    fn new(context: &Context, to: &Raw, offset: usize, bytes: usize) -> Result<Self> {
        let staging = context.allocate(bytes as u64, true)?;
        let commands = recorded(context, |commands| {
            for piece in to.storage.pieces(offset, bytes) {
                let offsets = [piece.range.start, piece.first];
                copying(commands, [&staging, piece.chunk], offsets, piece.range.len());
            }
        })?;
        Ok(Upload {
            place: (to.id, offset, bytes),
            staging,
            commands,
            fence: context.fence()?,
            under_way: false,
            _target: to.storage.clone(),
        })
    }

    fn run(&mut self, context: &Context, data: &[u8]) -> Result<()> {
        if self.under_way {
            context.wait(&self.fence)?;
            self.under_way = false;
            // SAFETY: the commands that signal it have run, and nobody else has it.
            unsafe { self.fence.reset() }.map_err(|e| context.failed(&e))?;
        }
        let mut staging = self.staging.write().map_err(|e| context.error(e))?;
        staging[..data.len()].copy_from_slice(data);
        drop(staging);
        // SAFETY: the commands are not under way, the fence is their own and not signalled, and all that they use is
        // kept until they have run.
        unsafe { context.enqueue(&self.commands, &self.fence) }?;
        self.under_way = true;
        Ok(())
    }
}

/// Calls `f` with memory for a chunk of `bytes`.
fn with<T>(
    context: &Context,
    bytes: usize,
    f: impl FnOnce(&Subbuffer<[u8]>) -> Result<T>,
) -> Result<T> {
    let mut slot = lock(&context.staging);
    let held = slot.take().filter(|staging| staging.buffer.len() >= bytes as u64);
    let staging = match held {
        Some(staging) => staging,
        None => {
            Staging { buffer: context.allocate(bytes.next_power_of_two().min(CHUNK) as u64, true)? }
        }
    };
    let result = f(&staging.buffer);
    *slot = Some(staging);
    result
}

/// Records commands between barriers of everything.
fn recorded(
    context: &Context,
    f: impl FnOnce(&mut RecordingCommandBuffer),
) -> Result<CommandBuffer> {
    let mut commands = context.record()?;
    // SAFETY: barriers of the whole memory, between stages that every queue has.
    unsafe { commands.pipeline_barrier_unchecked(&barrier()) };
    f(&mut commands);
    // SAFETY: as above.
    unsafe { commands.pipeline_barrier_unchecked(&barrier()) };
    // SAFETY: what was recorded is valid for the device.
    unsafe { commands.end() }.map_err(|e| context.error(why(&e)))
}

/// Records a copy. Its ranges lie in their buffers, which are different ones.
fn copying(
    commands: &mut RecordingCommandBuffer,
    [from, to]: [&Subbuffer<[u8]>; 2],
    [from_offset, to_offset]: [usize; 2],
    bytes: usize,
) {
    let region = BufferCopy {
        src_offset: from_offset as u64,
        dst_offset: to_offset as u64,
        size: bytes as u64,
        ..BufferCopy::default()
    };
    let mut info = CopyBufferInfo::buffers(from.clone(), to.clone());
    info.regions = [region].into_iter().collect();
    // SAFETY: the callers have checked the ranges, and keep both buffers until the commands have run.
    unsafe { commands.copy_buffer_unchecked(&info) };
}

/// Copies and waits.
fn copy(
    context: &Context,
    buffers: [&Subbuffer<[u8]>; 2],
    offsets: [usize; 2],
    bytes: usize,
) -> Result<()> {
    let commands = recorded(context, |commands| copying(commands, buffers, offsets, bytes))?;
    context.submit(&commands)
}

/// Copies to a place that has been written to before, or is going to be.
fn upload_again(context: &Context, to: &Raw, offset: usize, data: &[u8]) -> Result<()> {
    let place = (to.id, offset, data.len());
    let mut uploads = lock(&context.uploads);
    let known = uploads.iter().position(|upload| upload.place == place);
    let known = known.map(|i| uploads.remove(i));
    drop(uploads);
    let mut upload = match known {
        Some(upload) => upload,
        None => Upload::new(context, to, offset, data.len())?,
    };
    upload.run(context, data)?;
    let mut uploads = lock(&context.uploads);
    let oldest = (uploads.len() >= OWN_COPIES).then(|| uploads.remove(0));
    uploads.push(upload);
    drop(uploads);
    drop(oldest);
    Ok(())
}

/// Forgets the copies to a buffer that is about to vanish.
pub(super) fn forget(context: &Context, buffer: u64) {
    let mut uploads = lock(&context.uploads);
    let all = std::mem::take(&mut *uploads).into_iter();
    let (gone, kept): (Vec<_>, _) = all.partition(|upload| upload.place.0 == buffer);
    *uploads = kept;
    drop(uploads);
    drop(gone);
}

pub(super) fn upload(context: &Context, to: &Raw, offset: usize, data: &[u8]) -> Result<()> {
    if data.len() <= OWN_BYTES {
        return upload_again(context, to, offset, data);
    }
    for piece in to.storage.pieces(offset, data.len()) {
        for (i, part) in data[piece.range].chunks(CHUNK).enumerate() {
            with(context, part.len(), |staging| {
                staging.write().map_err(|e| context.error(e))?[..part.len()].copy_from_slice(part);
                copy(context, [staging, piece.chunk], [0, piece.first + i * CHUNK], part.len())
            })?;
        }
    }
    Ok(())
}

pub(super) fn download(
    context: &Context,
    from: &Storage,
    offset: usize,
    data: &mut [u8],
) -> Result<()> {
    for piece in from.pieces(offset, data.len()) {
        for (i, part) in data[piece.range].chunks_mut(CHUNK).enumerate() {
            with(context, part.len(), |staging| {
                copy(context, [piece.chunk, staging], [piece.first + i * CHUNK, 0], part.len())?;
                let source = staging.read().map_err(|e| context.error(e))?;
                part.copy_from_slice(&source[..part.len()]);
                Ok(())
            })?;
        }
    }
    Ok(())
}

pub(super) fn clear(context: &Context, buffer: &Subbuffer<[u8]>) -> Result<()> {
    let commands = recorded(context, |commands| {
        let words: Subbuffer<[u32]> = buffer.clone().reinterpret();
        // SAFETY: the whole buffer, whose size is a multiple of four.
        unsafe { commands.fill_buffer_unchecked(&words, 0) };
    })?;
    context.submit(&commands)
}
