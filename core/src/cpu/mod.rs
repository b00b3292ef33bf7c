//! The CPU as a device: kernels are loops over slices, run at once, on a small pool of threads.

pub mod math;

mod buffer;
mod fence;
pub(crate) mod kernels;
#[cfg(test)]
mod naive;
mod pool;
mod run;
mod scratch;
pub(crate) mod simd;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::device::{
    Bindings, Counted, Device, Memory, Misindexed, Run, Span, VALUES, check_gather,
};
use crate::element::{Element, Float};
use crate::error::{Error, Result};

pub use buffer::CpuBuffer;
pub use run::CpuRun;

use pool::Pool;

/// The processor, with a pool of threads that its copies share.
#[derive(Clone)]
pub struct Cpu {
    pool: Arc<Pool>,
}

/// The pool of [`Cpu::default`].
static SHARED: LazyLock<Cpu> = LazyLock::new(|| {
    let wanted = std::env::var("NETFORM_THREADS").ok().and_then(|n| n.trim().parse().ok());
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Cpu::with_threads(wanted.filter(|&n: &usize| n > 0).unwrap_or_else(available))
});

impl Default for Cpu {
    /// The processor with one pool for the whole program: a thread for each core, or as many as the
    /// environment variable `NETFORM_THREADS` says; a value that is not a number of at least 1 is ignored.
    fn default() -> Self {
        SHARED.clone()
    }
}

impl Cpu {
    /// The processor with a pool of `threads` threads of its own, the caller included. Results do not
    /// depend on the number. It is at least 1 and at most 1024, and smaller where the system starts fewer.
    pub fn with_threads(threads: usize) -> Self {
        Cpu { pool: Arc::new(Pool::new(threads.clamp(1, 1024))) }
    }

    /// The number of threads that work on a kernel.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Does `work` to each piece, on the threads of the pool. All are done, in any order, and the error is that of the
    /// first one in theirs.
    pub(crate) fn for_each<T: Send>(
        &self,
        pieces: impl ExactSizeIterator<Item = T> + Send,
        work: impl Fn(T) -> Result<()> + Sync,
    ) -> Result<()> {
        let (count, left) = (pieces.len(), Mutex::new(pieces.enumerate()));
        let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        self.pool.run(count, |_| {
            // What a lock guards is whole also where some work has panicked.
            let piece = left.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((i, piece)) = piece else { return };
            if let Err(error) = work(piece) {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if failed.as_ref().is_none_or(|(first, _)| i < *first) {
                    *failed = Some((i, error));
                }
            }
        });
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }
}

impl std::fmt::Debug for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cpu({} threads)", self.threads())
    }
}

/// How often this process has called matrixmultiply, which allocates memory to pack its operands into:
/// a test that counts allocations subtracts them.
#[doc(hidden)]
pub fn gemm_calls() -> u64 {
    kernels::gemm_calls()
}

/// The error for a range that does not lie in a buffer.
fn range_error(what: &str, offset: usize, len: usize, size: usize) -> Error {
    Error::Size {
        what: what.to_owned(),
        expected: format!("a range within its {size} elements"),
        found: format!("{len} elements from {offset} on"),
    }
}

impl Memory for Cpu {
    type Buffer<T: Element> = CpuBuffer<T>;

    fn zeros<T: Element>(&self, len: usize) -> Result<CpuBuffer<T>> {
        CpuBuffer::zeros(len).ok_or_else(|| Error::OutOfMemory {
            device: self.name(),
            bytes: len.saturating_mul(size_of::<T>()),
            advice: String::new(),
        })
    }

    fn len<T: Element>(&self, buffer: &CpuBuffer<T>) -> usize {
        buffer.as_slice().len()
    }

    fn write<T: Element>(
        &self,
        buffer: &mut CpuBuffer<T>,
        offset: usize,
        data: &[T],
    ) -> Result<()> {
        let size = buffer.as_slice().len();
        let end = offset.checked_add(data.len());
        let target = end.and_then(|end| buffer.as_mut_slice().get_mut(offset..end));
        let error = || range_error("writing to a buffer", offset, data.len(), size);
        target.ok_or_else(error)?.copy_from_slice(data);
        Ok(())
    }

    fn read<T: Element>(&self, buffer: &CpuBuffer<T>, offset: usize, data: &mut [T]) -> Result<()> {
        let size = buffer.as_slice().len();
        let end = offset.checked_add(data.len());
        let source = end.and_then(|end| buffer.as_slice().get(offset..end));
        let error = || range_error("reading from a buffer", offset, data.len(), size);
        data.copy_from_slice(source.ok_or_else(error)?);
        Ok(())
    }

    fn host_mut<'b, T: Element>(&self, buffer: &'b mut CpuBuffer<T>) -> Option<&'b mut [T]> {
        Some(buffer.as_mut_slice())
    }

    fn cpu(&self) -> Option<&Cpu> {
        Some(self)
    }

    fn keeps(&self, _: &[usize]) -> bool {
        false
    }

    fn gather<T: Element>(
        &self,
        from: &CpuBuffer<T>,
        width: usize,
        rows: &CpuBuffer<u32>,
        first: usize,
        count: usize,
        to: &mut CpuBuffer<T>,
    ) -> Result<()> {
        let (from, rows, to) = (from.as_slice(), rows.as_slice(), to.as_mut_slice());
        check_gather(width, rows.len(), [first, count], to.len())?;
        if width == 0 {
            return Ok(());
        }
        let size = from.len() / width;
        for (i, to) in to.chunks_exact_mut(width).take(count).enumerate() {
            let index = rows[first + i] as usize;
            if index >= size {
                return Err(Misindexed::unnamed(Counted::Sample).error(i, index, size));
            }
            to.copy_from_slice(&from[index * width..][..width]);
        }
        Ok(())
    }

    fn name(&self) -> String {
        match self.threads() {
            1 => "cpu (1 thread)".to_owned(),
            n => format!("cpu ({n} threads)"),
        }
    }
}

impl<E: Float> Device<E> for Cpu {
    type Run<'a> = CpuRun<'a, E>;
    /// The values.
    type Ticket = [E; VALUES];
    type Memo = ();
    const AHEAD: usize = 0;

    fn run<'a>(&'a self, bindings: Bindings<'a, E, Self>) -> CpuRun<'a, E> {
        CpuRun::new(&self.pool, bindings)
    }

    fn post(
        &self,
        run: CpuRun<'_, E>,
        value: Span,
        _: Option<Span>,
        (): &mut (),
    ) -> Result<[E; VALUES]> {
        let values = std::array::from_fn(|i| match i < value.len {
            true => run.first(Span::new(value.slot, value.offset + i, 1)),
            false => E::ZERO,
        });
        run.finish().map(|()| values)
    }

    fn wait(&self, values: &[E; VALUES]) -> Result<[E; VALUES]> {
        Ok(*values)
    }

    fn kept(
        &self,
        _: &[E; VALUES],
        buffer: &CpuBuffer<E>,
        offset: usize,
        out: &mut [E],
    ) -> Result<()> {
        self.read(buffer, offset, out)
    }
}

#[cfg(test)]
mod memory_tests {
    use super::*;

    #[test]
    fn memory_is_checked() {
        let cpu = Cpu::with_threads(2);
        assert_eq!(cpu.name(), "cpu (2 threads)");
        let mut buffer = cpu.zeros::<f32>(5).unwrap();
        cpu.write(&mut buffer, 2, &[1.0, 2.0]).unwrap();
        assert_eq!(buffer.as_slice(), [0.0, 0.0, 1.0, 2.0, 0.0]);
        assert_eq!(buffer.as_slice().as_ptr() as usize % 64, 0);
        let mut out = [0.0; 2];
        cpu.read(&buffer, 3, &mut out).unwrap();
        assert_eq!(out, [2.0, 0.0]);
        for offset in [4, 6, usize::MAX] {
            assert!(matches!(cpu.read(&buffer, offset, &mut out), Err(Error::Size { .. })));
            assert!(matches!(cpu.write(&mut buffer, offset, &out), Err(Error::Size { .. })));
        }
        for len in [usize::MAX, usize::MAX / 4, usize::MAX / 16] {
            assert!(matches!(cpu.zeros::<f32>(len), Err(Error::OutOfMemory { .. })));
        }
    }

    #[test]
    fn pieces_are_shared_out() {
        let cpu = Cpu::with_threads(3);
        let mut numbers: Vec<usize> = (0..100).collect();
        let double = |piece: &mut [usize]| {
            piece.iter_mut().for_each(|x| *x *= 2);
            Ok(())
        };
        cpu.for_each(numbers.chunks_mut(7), double).unwrap();
        assert_eq!(numbers, (0..100).map(|i| 2 * i).collect::<Vec<_>>());
        let odd = |x: &mut usize| match *x % 10 {
            6 => Err(Error::Invalid(x.to_string())),
            _ => {
                *x = 0;
                Ok(())
            }
        };
        assert_eq!(cpu.for_each(numbers.iter_mut(), odd).unwrap_err().to_string(), "6");
        assert_eq!(numbers.iter().filter(|x| **x > 0).count(), 20, "the others are done");
        cpu.for_each(numbers[..0].iter_mut(), odd).unwrap();
    }

    #[test]
    fn rows_by_index() {
        let cpu = Cpu::with_threads(1);
        assert!(!cpu.keeps(&[4, 4]));
        let (mut from, mut rows) = (cpu.zeros::<f64>(7).unwrap(), cpu.zeros(4).unwrap());
        let mut to = cpu.zeros(5).unwrap();
        cpu.write(&mut from, 0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        cpu.write(&mut rows, 0, &[2, 0, 2, 3]).unwrap();
        cpu.write(&mut to, 0, &[9.0; 5]).unwrap();
        cpu.gather(&from, 2, &rows, 1, 2, &mut to).unwrap();
        assert_eq!(to.as_slice(), [0.0, 1.0, 4.0, 5.0, 9.0]);
        // Row 3 is not whole.
        let error = cpu.gather(&from, 2, &rows, 2, 2, &mut to).unwrap_err();
        assert!(
            matches!(&error, Error::IndexOutOfRange { what, index: 3, size: 3, .. } if what == "row 1"),
            "{error}"
        );
        for [width, first, count] in
            [[2, 0, 3], [1, 2, 3], [1, 5, 0], [1, usize::MAX, 1], [usize::MAX, 0, 2]]
        {
            let error = cpu.gather(&from, width, &rows, first, count, &mut to).unwrap_err();
            assert!(matches!(error, Error::Size { .. }), "{error}");
        }
        cpu.gather(&from, 8, &rows, 0, 0, &mut to).unwrap();
        cpu.gather(&from, 0, &rows, 0, 4, &mut to).unwrap();
    }
}
