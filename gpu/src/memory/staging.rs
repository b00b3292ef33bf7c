//! Copies through memory that both sides see, for a device whose own memory the processor does not.

use netform_core::error::Result;
use vulkano::buffer::Subbuffer;
use vulkano::command_buffer::{BufferCopy, CopyBufferInfo, RecordingCommandBuffer};

use crate::context::{Context, barrier, lock};

/// The bytes that one copy moves at most.
const CHUNK: usize = 16 << 20;

/// Memory that both sides see.
pub(crate) struct Staging {
    buffer: Subbuffer<[u8]>,
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

/// Records, submits and waits.
fn at_once(context: &Context, f: impl FnOnce(&mut RecordingCommandBuffer)) -> Result<()> {
    let mut commands = context.record()?;
    // SAFETY: barriers of everything; the buffers outlive the commands, which have run when this returns.
    unsafe {
        commands.pipeline_barrier_unchecked(&barrier());
        f(&mut commands);
        commands.pipeline_barrier_unchecked(&barrier());
    }
    // SAFETY: what was recorded is valid for the device.
    let commands = unsafe { commands.end() }.map_err(|e| context.error(e))?;
    context.submit(&commands)
}

fn copy(
    context: &Context,
    [from, to]: [&Subbuffer<[u8]>; 2],
    [from_offset, to_offset]: [usize; 2],
    bytes: usize,
) -> Result<()> {
    let region = BufferCopy {
        src_offset: from_offset as u64,
        dst_offset: to_offset as u64,
        size: bytes as u64,
        ..BufferCopy::default()
    };
    let mut info = CopyBufferInfo::buffers(from.clone(), to.clone());
    info.regions = [region].into_iter().collect();
    at_once(context, |commands| {
        // SAFETY: both ranges lie in their buffers, which are different ones.
        unsafe { commands.copy_buffer_unchecked(&info) };
    })
}

pub(super) fn upload(
    context: &Context,
    buffer: &Subbuffer<[u8]>,
    offset: usize,
    data: &[u8],
) -> Result<()> {
    for (i, chunk) in data.chunks(CHUNK).enumerate() {
        with(context, chunk.len(), |staging| {
            staging.write().map_err(|e| context.error(e))?[..chunk.len()].copy_from_slice(chunk);
            copy(context, [staging, buffer], [0, offset + i * CHUNK], chunk.len())
        })?;
    }
    Ok(())
}

pub(super) fn download(
    context: &Context,
    buffer: &Subbuffer<[u8]>,
    offset: usize,
    data: &mut [u8],
) -> Result<()> {
    for (i, chunk) in data.chunks_mut(CHUNK).enumerate() {
        with(context, chunk.len(), |staging| {
            copy(context, [buffer, staging], [offset + i * CHUNK, 0], chunk.len())?;
            let source = staging.read().map_err(|e| context.error(e))?;
            chunk.copy_from_slice(&source[..chunk.len()]);
            Ok(())
        })?;
    }
    Ok(())
}

pub(super) fn clear(context: &Context, buffer: &Subbuffer<[u8]>) -> Result<()> {
    at_once(context, |commands| {
        let words: Subbuffer<[u32]> = buffer.clone().reinterpret();
        // SAFETY: the whole buffer, whose size is a multiple of four.
        unsafe { commands.fill_buffer_unchecked(&words, 0) };
    })
}
