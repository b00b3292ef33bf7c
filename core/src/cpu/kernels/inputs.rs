//! The inputs of a fused expression, a chunk at a time, as contiguous elements.
//!
//! Whatever an [`Arg`] is, the expression runs over plain slices: what is not contiguous (broadcast,
//! strided, integers, coordinates, random numbers) is first written to memory on the stack.

use std::mem::MaybeUninit;

use crate::cpu::run::{CpuRun, broken, overlap};
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, Counter, GRID_RANK, Grid, Span};
use crate::element::Float;
use crate::random;

/// The elements of a chunk: few enough for the first cache with several inputs, enough to forget the
/// cost of a chunk.
pub(crate) const CHUNK: usize = 256;

/// Axes with strides, innermost last, merged where they continue each other; in front padded with size 1.
#[derive(Clone, Copy)]
struct Axes {
    sizes: Grid,
    strides: [usize; GRID_RANK],
}

impl Axes {
    fn merged(grid: Grid, strides: [usize; GRID_RANK]) -> Self {
        let mut axes = Axes { sizes: [1; GRID_RANK], strides: [0; GRID_RANK] };
        // From the innermost axis outwards; `last` is the one that the next may continue.
        let mut last = GRID_RANK;
        for axis in (0..GRID_RANK).rev().filter(|&axis| grid[axis] != 1) {
            let follows = last < GRID_RANK
                && strides[axis] == axes.strides[last].wrapping_mul(axes.sizes[last]);
            if follows {
                axes.sizes[last] *= grid[axis];
            } else {
                last -= 1;
                axes.sizes[last] = grid[axis];
                axes.strides[last] = strides[axis];
            }
        }
        axes
    }

    /// The largest sum of coordinate times stride, plus one. `None` where it is no number.
    fn reach(&self) -> Option<usize> {
        self.sizes.iter().zip(&self.strides).try_fold(1_usize, |sum, (&size, &stride)| {
            sum.checked_add(size.saturating_sub(1).checked_mul(stride)?)
        })
    }

    const INNER: usize = GRID_RANK - 1;

    fn inner(&self) -> (usize, usize) {
        (self.sizes[Self::INNER], self.strides[Self::INNER])
    }

    /// Whether consecutive positions have consecutive elements.
    fn is_flat(&self) -> bool {
        let (size, stride) = self.inner();
        self.sizes[..Self::INNER] == [1; Self::INNER] && (stride == 1 || size == 1)
    }

    /// Whether only the position on the innermost axis matters.
    fn is_periodic(&self) -> bool {
        self.strides[..Self::INNER] == [0; Self::INNER]
    }

    /// The position on the innermost axis, and what the other coordinates add up to.
    #[inline]
    fn at(&self, position: usize) -> (usize, usize) {
        let (size, _) = self.inner();
        let (mut rest, inner) = (position / size, position % size);
        let mut base = 0;
        for axis in (0..Self::INNER).rev() {
            if rest == 0 {
                break;
            }
            base += rest % self.sizes[axis] * self.strides[axis];
            rest /= self.sizes[axis];
        }
        (inner, base)
    }

    /// Calls `run(place, index, len)` for each piece of the positions from `start` to `start + len` that
    /// lies on one line of the innermost axis; `index` is the sum of coordinate times stride.
    #[inline(always)]
    fn runs(&self, start: usize, len: usize, mut run: impl FnMut(usize, usize, usize)) {
        let (size, stride) = self.inner();
        let mut place = 0;
        while place < len {
            let (inner, base) = self.at(start + place);
            let count = (size - inner).min(len - place);
            run(place, base + inner * stride, count);
            place += count;
        }
    }
}

/// Where the values of an input come from.
#[derive(Clone, Copy)]
enum Source<E> {
    Flat(*const E),
    Floats(*const E, Axes),
    Integers(*const u32, Axes),
    Coordinate(Axes),
    Uniform { stream: u32, per_sample: usize },
}

/// The inputs of a fused expression over a grid.
pub(crate) struct Inputs<E, const N: usize> {
    sources: [Source<E>; N],
    counter: Counter,
    /// The positions of the grid.
    total: usize,
    /// The elements to compute together, [`CHUNK`] or a little less.
    pub chunk: usize,
}

// SAFETY: inputs are read only; a kernel checks that no other thread's output is among them.
unsafe impl<E: Sync, const N: usize> Sync for Inputs<E, N> {}

impl<E: Float, const N: usize> Inputs<E, N> {
    /// Finds the memory of each input and checks it. An input may be one of `outs` itself, where it is
    /// visited in the grid's order; it must not overlap one otherwise.
    ///
    /// # Panics
    /// If printed code has a mistake.
    pub fn new(run: &CpuRun<'_, E>, grid: Grid, args: [Arg; N], outs: &[Span]) -> Self {
        let sources = args.map(|arg| source(run, grid, arg, outs));
        // A multiple of the period of a row that is broadcast: then every chunk sees the same values.
        let period = sources.iter().find_map(|source| match source {
            Source::Floats(_, axes) if axes.is_periodic() => {
                Some(axes.inner().0).filter(|&size| (2..=CHUNK).contains(&size))
            }
            _ => None,
        });
        let chunk = CHUNK - CHUNK % period.unwrap_or(1);
        Inputs { sources, counter: run.counter, total: grid.iter().product(), chunk }
    }

    /// Memory for the chunks of one thread.
    #[inline(always)]
    pub fn chunks(&self) -> Chunks<'_, E, N> {
        Chunks {
            inputs: self,
            memory: [const { MaybeUninit::uninit() }; N],
            held: [(usize::MAX, 0); N],
        }
    }
}

fn source<E: Float>(run: &CpuRun<'_, E>, grid: Grid, arg: Arg, outs: &[Span]) -> Source<E> {
    match arg {
        Arg::View { span, strides } => {
            let axes = Axes::merged(grid, strides);
            let empty = grid.contains(&0);
            if !empty && axes.reach().is_none_or(|reach| reach > span.len) {
                broken(span, &format!("strides {strides:?} on the grid {grid:?} leave it"));
            }
            if let crate::device::Slot::Index(_) = span.slot {
                return Source::Integers(run.integers(span).get(), axes);
            }
            let first = run.read(span).get().cast_const();
            let in_place = |out: &Span| out.offset == span.offset && axes.is_flat();
            if outs.iter().any(|out| overlap(*out, span) && !in_place(out)) {
                broken(span, "read while it is written in another order");
            }
            if axes.is_flat() { Source::Flat(first) } else { Source::Floats(first, axes) }
        }
        Arg::Coordinate { strides } => Source::Coordinate(Axes::merged(grid, strides)),
        Arg::Uniform { stream, per_sample } => {
            Source::Uniform { stream, per_sample: per_sample.max(1) }
        }
    }
}

/// The inputs of one thread, chunk after chunk.
pub(crate) struct Chunks<'a, E, const N: usize> {
    inputs: &'a Inputs<E, N>,
    memory: [MaybeUninit<[E; CHUNK]>; N],
    /// What the memory of each input holds: a key that says which values, and how many.
    held: [(usize, usize); N],
}

impl<E: Float, const N: usize> Chunks<'_, E, N> {
    /// Pointers to `len` values of each input, of the positions from `start` on; `len` is at most [`CHUNK`].
    /// They are good until the next call.
    #[inline(always)]
    pub fn at(&mut self, start: usize, len: usize) -> [*const E; N] {
        let Chunks { inputs, memory, held } = self;
        let mut pointers = [std::ptr::null(); N];
        for (i, pointer) in pointers.iter_mut().enumerate() {
            *pointer = match &inputs.sources[i] {
                // `wrapping`, because the memory of an empty grid may be none.
                Source::Flat(first) => first.wrapping_add(start),
                other => {
                    let memory = memory[i].as_mut_ptr().cast();
                    place(other, &inputs.counter, memory, &mut held[i], start, len)
                }
            };
        }
        pointers
    }
}

impl<E: Float, const N: usize> Chunks<'_, E, N> {
    /// Whether input `i` has the same values at all rows of `len` positions.
    #[inline(always)]
    pub fn repeats(&self, i: usize, len: usize) -> bool {
        match &self.inputs.sources[i] {
            Source::Floats(_, axes) | Source::Integers(_, axes) | Source::Coordinate(axes) => {
                axes.is_periodic() && axes.inner().0 == len
            }
            Source::Flat(_) | Source::Uniform { .. } => false,
        }
    }

    /// A pointer to the values of input `i` at the `len` positions from `start` on, good for `padded` elements,
    /// at most [`CHUNK`]: those after `len` are some numbers or other.
    #[inline(always)]
    pub fn padded(&mut self, i: usize, start: usize, len: usize, padded: usize) -> *const E {
        let Chunks { inputs, memory, held } = self;
        let (source, memory) = (&inputs.sources[i], memory[i].as_mut_ptr().cast());
        if start + padded > inputs.total {
            return at_the_end(source, &inputs.counter, memory, &mut held[i], start, [len, padded]);
        }
        match source {
            Source::Flat(first) => first.wrapping_add(start),
            other => place(other, &inputs.counter, memory, &mut held[i], start, padded),
        }
    }
}

/// The values of an input where the positions that would pad them are beyond the grid: with zeros behind them.
#[cold]
fn at_the_end<E: Float>(
    source: &Source<E>,
    counter: &Counter,
    memory: *mut E,
    held: &mut (usize, usize),
    start: usize,
    [len, padded]: [usize; 2],
) -> *const E {
    assert!(len <= padded && padded <= CHUNK);
    let found = place(source, counter, memory, held, start, len);
    // What the memory holds is no longer what it was written for.
    *held = (usize::MAX, 0);
    // SAFETY: `memory` has room for a chunk, and `found` is good for `len` elements, in that memory or in a
    // buffer, which it does not overlap.
    unsafe {
        if !std::ptr::eq(found, memory) {
            memory.copy_from_nonoverlapping(found, len);
        }
        (len..padded).for_each(|i| memory.add(i).write(E::ZERO));
    }
    memory
}

/// The values of one input as contiguous elements: where they are, or written to `memory`.
fn place<E: Float>(
    source: &Source<E>,
    counter: &Counter,
    memory: *mut E,
    held: &mut (usize, usize),
    start: usize,
    len: usize,
) -> *const E {
    assert!(len <= CHUNK);
    if let Source::Flat(first) = source {
        return first.wrapping_add(start);
    }
    if let Source::Floats(_, axes) | Source::Integers(_, axes) | Source::Coordinate(axes) = source {
        let (size, stride) = axes.inner();
        let (inner, base) = axes.at(start);
        let one_run = inner + len <= size;
        if let Source::Floats(first, _) = source
            && one_run
            && stride == 1
        {
            return first.wrapping_add(base + inner);
        }
        // The same values as in the chunk before: one value repeated, or the same row again.
        let key = match () {
            () if one_run && stride == 0 => base,
            () if axes.is_periodic() => inner,
            () => usize::MAX,
        };
        if key != usize::MAX && held.0 == key && held.1 >= len {
            return memory;
        }
        *held = (key, len);
    }
    // SAFETY: `memory` has room for a chunk and nothing else refers to it; `Inputs::new` has checked
    // that all indices of the grid lie in the span.
    unsafe { write(source, counter, memory, start, len) };
    memory
}

/// # Safety
/// `memory` must have room for `len` elements, and `start + len` positions must lie in the grid.
unsafe fn write<E: Float>(
    source: &Source<E>,
    counter: &Counter,
    memory: *mut E,
    start: usize,
    len: usize,
) {
    match source {
        // SAFETY: the caller's promise, here and below.
        Source::Flat(first) => unsafe { memory.copy_from(first.add(start), len) },
        Source::Floats(first, axes) => {
            let stride = axes.inner().1;
            // SAFETY: as above.
            axes.runs(start, len, |place, index, count| unsafe {
                let (to, from) = (memory.add(place), first.add(index));
                match stride {
                    0 => (0..count).for_each(|i| to.add(i).write(*from)),
                    1 => (0..count).for_each(|i| to.add(i).write(*from.add(i))),
                    _ => (0..count).for_each(|i| to.add(i).write(*from.add(i * stride))),
                }
            });
        }
        Source::Integers(first, axes) => {
            let stride = axes.inner().1;
            // SAFETY: as above.
            axes.runs(start, len, |place, index, count| unsafe {
                for i in 0..count {
                    let value = *first.add(index + i * stride);
                    memory.add(place + i).write(E::from_f64(f64::from(value)));
                }
            });
        }
        Source::Coordinate(axes) => {
            let stride = axes.inner().1;
            // SAFETY: as above.
            axes.runs(start, len, |place, index, count| unsafe {
                let to = memory.add(place);
                if stride == 0 {
                    let value = E::from_usize(index);
                    (0..count).for_each(|i| to.add(i).write(value));
                } else {
                    (0..count).for_each(|i| to.add(i).write(E::from_usize(index + i * stride)));
                }
            });
        }
        &Source::Uniform { stream, per_sample } => {
            let mut place = 0;
            while place < len {
                let position = start + place;
                let (sample, element) = (position / per_sample, position % per_sample);
                let count = (per_sample - element).min(len - place);
                let sample = counter.first_sample.wrapping_add(sample as u64) as u32;
                let mut words = [0_u32; CHUNK];
                let words = &mut words[..count];
                fill_words(words, element, stream, sample, counter);
                for (i, &word) in words.iter().enumerate() {
                    // SAFETY: as above.
                    unsafe { memory.add(place + i).write(E::unit(word)) };
                }
                place += count;
            }
        }
    }
}

fn fill_words(words: &mut [u32], element: usize, stream: u32, sample: u32, counter: &Counter) {
    let (step, key) = (counter.step as u32, random::key(counter.seed));
    for_each_level!(level(), [] [], random::fill_words, (
        words: &mut [u32], element: usize, stream: u32, sample: u32, step: u32, key: [u32; 2],
    ));
}
