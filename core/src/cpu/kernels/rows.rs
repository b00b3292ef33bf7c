//! Programs over rows: each row is in the first cache from its first pass to its last.
//!
//! A thread takes some of the rows, one after another; short ones in blocks of a few, so that a pass over one
//! need not wait for the fold of another. A pass goes over a row a chunk at a time, in whole groups of
//! lanes: what lies behind the row's end is computed too and thrown away, so that a short row is one
//! vector and not a scalar loop.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use super::fold::{self, LANES};
use super::frame;
use super::inputs::{CHUNK, Chunks, Inputs};
use super::units_per_task;
use crate::cpu::run::{CpuRun, Ptr, broken, disjoint, overlap, sized};
use crate::cpu::scratch;
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, GRID_RANK, Grid, Row, RowProgram, RowTo, Slot, Span};
use crate::element::Float;
use crate::error::Error;

/// Elements that are worth a task of their own: a program takes a few passes over them.
const TASK_ELEMENTS: usize = 1 << 13;
/// A tile is computed in steps of as many elements, at least those of the compiler's unrolled loops: it has no rest
/// that would be computed one by one.
const STEP: usize = 64;
/// The most rows of a block.
const BLOCK: usize = 16;
/// What a row costs beside its elements, in elements.
const ROW_COST: usize = 32;

/// The first row whose index was wrong, and that index as it arrived.
type Fault = Mutex<Option<(usize, f64)>>;

/// What all threads of a kernel share.
struct Job<'j, E, T, const M: usize, const N: usize, const P: usize, const C: usize> {
    program: T,
    inputs: &'j Inputs<E, N>,
    params: &'j Inputs<E, P>,
    consts: [E; C],
    outs: [Ptr<E>; M],
    /// The elements of a row.
    len: usize,
    fault: &'j Fault,
}

#[allow(clippy::too_many_arguments)]
pub(super) fn rows<E, T, const M: usize, const N: usize, const P: usize, const C: usize>(
    run: &mut CpuRun<'_, E>,
    outs: [Span; M],
    grid: Grid,
    lead: usize,
    ins: [Arg; N],
    params: [Arg; P],
    consts: [E; C],
    program: T,
) where
    E: Float,
    T: RowProgram<E, P, C>,
{
    let lead = lead.min(GRID_RANK);
    let (count, len) = (grid[..lead].iter().product(), grid[lead..].iter().product());
    for (j, &out) in outs.iter().enumerate() {
        let wide = T::WIDE.get(j).is_some_and(|wide| *wide);
        sized(out, if wide { count * len } else { count });
        if outs[..j].iter().any(|&other| overlap(out, other)) {
            broken(out, "two outputs in one place");
        }
        for arg in ins.iter().chain(&params) {
            if let Arg::View { span, .. } = arg {
                disjoint(out, *span);
            }
        }
    }
    let mut of_rows = grid;
    of_rows[lead..].fill(1);
    let fault = Fault::default();
    let job = Job {
        program,
        inputs: &Inputs::new(run, grid, ins, &[]),
        params: &Inputs::new(run, of_rows, params, &[]),
        consts,
        outs: outs.map(|out| run.write(out)),
        len,
        fault: &fault,
    };
    let task = |from: usize, to: usize| {
        // A step more, because the last tile is read in whole steps.
        let kept = T::KEPT * block(len) * pitch(len) + STEP;
        let numbers = (P + T::NUMBERS) * BLOCK;
        let lines = scratch::lines::<E>(kept) + scratch::lines::<E>(numbers);
        scratch::with(lines, |mut scratch| {
            let memory = [scratch.take::<E>(kept), scratch.take::<E>(numbers)];
            on_this_processor(&job, memory, from, to);
        });
    };
    let work = count * (len + ROW_COST);
    if work < 2 * TASK_ELEMENTS {
        task(0, count);
    } else {
        let per_task = units_per_task(count, work, TASK_ELEMENTS);
        run.pool.run(count.div_ceil(per_task), |i| {
            task(i * per_task, ((i + 1) * per_task).min(count));
        });
    }
    if let Some((row, index)) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let what = format!("row {row}");
        let index = integer(run, of_rows, &params, row, index);
        run.fault.get_or_insert(Error::IndexOutOfRange { what, index, size: len });
    }
}

/// The index that was wrong: as an integer that a row was given, which a float may not hold exactly; the
/// largest number for what is no index at all.
#[cold]
fn integer<E: Float>(
    run: &CpuRun<'_, E>,
    of_rows: Grid,
    params: &[Arg],
    row: usize,
    index: f64,
) -> usize {
    for param in params {
        let Arg::View { span, strides } = *param else { continue };
        let Slot::Index(_) = span.slot else { continue };
        let (mut rest, mut place) = (row, 0);
        for axis in (0..GRID_RANK).rev() {
            place += rest % of_rows[axis] * strides[axis];
            rest /= of_rows[axis];
        }
        // SAFETY: `Inputs::new` has checked that the places of all rows lie in the span.
        let exact = unsafe { *run.integers(span).get().add(place) };
        if E::from_f64(f64::from(exact)).to_f64() == index {
            return exact as usize;
        }
    }
    if index >= 0.0 && index.fract() == 0.0 { index as usize } else { usize::MAX }
}

/// The distance of rows in a tile: of the only row whole steps, of several whole groups of lanes.
#[inline(always)]
fn pitch(len: usize) -> usize {
    let short = len.next_multiple_of(LANES);
    if 2 * short > CHUNK { len.next_multiple_of(STEP) } else { short }
}

/// How many rows are computed together: as many as fill a chunk.
fn block(len: usize) -> usize {
    (CHUNK / pitch(len).max(1)).clamp(1, BLOCK)
}

/// Runs the program for the rows from `from` to `to`, with the best instructions. `memory` is for kept rows
/// and for numbers.
fn on_this_processor<E, T, const M: usize, const N: usize, const P: usize, const C: usize>(
    job: &Job<'_, E, T, M, N, P, C>,
    memory: [&mut [E]; 2],
    from: usize,
    to: usize,
) where
    E: Float,
    T: RowProgram<E, P, C>,
{
    for_each_level!(
        level(),
        [E: Float, T: RowProgram<E, P, C>, const M: usize, const N: usize, const P: usize, const C: usize]
        [E, T, M, N, P, C],
        some_rows,
        (job: &Job<'_, E, T, M, N, P, C>, memory: [&mut [E]; 2], from: usize, to: usize)
    );
}

#[inline(always)]
fn some_rows<E, T, const M: usize, const N: usize, const P: usize, const C: usize>(
    job: &Job<'_, E, T, M, N, P, C>,
    [kept, numbers]: [&mut [E]; 2],
    from: usize,
    to: usize,
) where
    E: Float,
    T: RowProgram<E, P, C>,
{
    let mut params = job.params.chunks();
    let mut rows = CpuRows {
        chunks: job.inputs.chunks(),
        outs: job.outs,
        wide: T::WIDE,
        kept,
        numbers,
        known: P,
        len: job.len,
        block: block(job.len),
        first: from,
        count: 0,
        fault: job.fault,
    };
    while rows.first < to {
        (rows.count, rows.known) = (rows.block.min(to - rows.first), P);
        let found = params.at(rows.first, rows.count);
        for (k, found) in found.into_iter().enumerate() {
            for i in 0..rows.count {
                // SAFETY: what is found is good for `count` elements.
                rows.numbers[k * BLOCK + i] = unsafe { *found.add(i) };
            }
        }
        job.program.run(&mut rows, std::array::from_fn(|k| k), job.consts);
        rows.first += rows.count;
    }
}

/// A block of rows, on one thread.
struct CpuRows<'t, E, const M: usize, const N: usize> {
    chunks: Chunks<'t, E, N>,
    outs: [Ptr<E>; M],
    wide: &'static [bool],
    kept: &'t mut [E],
    /// For each number the one of each row.
    numbers: &'t mut [E],
    /// How many numbers there are so far.
    known: usize,
    len: usize,
    /// How many rows a block has; the last one may have fewer.
    block: usize,
    first: usize,
    count: usize,
    fault: &'t Fault,
}

impl<E: Float, const M: usize, const N: usize> CpuRows<'_, E, M, N> {
    /// A pointer to `len` elements of an input or a kept row from `place` on, good for `padded`.
    #[inline(always)]
    fn elements(
        &mut self,
        input: usize,
        row: usize,
        place: usize,
        [len, padded]: [usize; 2],
    ) -> *const E {
        match input.checked_sub(N) {
            None => self.chunks.padded(input, (self.first + row) * self.len + place, len, padded),
            Some(kept) => self.kept_from(kept, row, place, padded).as_ptr(),
        }
    }

    /// The elements of a kept row from `place` on.
    #[inline(always)]
    fn kept_from(&mut self, kept: usize, row: usize, place: usize, padded: usize) -> &mut [E] {
        let first = (kept * self.block + row) * pitch(self.len) + place;
        &mut self.kept[first..first + padded]
    }

    /// The elements of a wide output from `place` on.
    #[inline(always)]
    fn out_from(&self, out: usize, row: usize, place: usize) -> *mut E {
        assert!(self.wide[out], "a program stores a row in the place of a number");
        self.outs[out].get().wrapping_add((self.first + row) * self.len + place)
    }

    /// The numbers of a row.
    #[inline(always)]
    fn numbers_of<const S: usize>(&self, numbers: [usize; S], row: usize) -> [E; S] {
        numbers.map(
            #[inline(always)]
            |number| self.numbers[number * BLOCK + row],
        )
    }

    /// A new number.
    #[inline(always)]
    fn new_number(&mut self) -> usize {
        self.known += 1;
        self.known - 1
    }
}

/// The body for each index below a constant that is mostly small: as straight code where it is, so that what
/// a program says at an index is a constant of that code.
macro_rules! unrolled {
    ($i:ident in $count:ident => $body:expr) => {
        unrolled!(@ $i $count $body; 0 1 2 3 4 5);
        for $i in 6..$count {
            $body;
        }
    };
    (@ $i:ident $count:ident $body:expr; $($index:literal)*) => { $(
        if $index < $count {
            let $i = $index;
            $body;
        }
    )* };
}

/// Memory for a tile.
type Values<E> = [MaybeUninit<E>; CHUNK];

/// Memory for `W` tiles: of its own, so that the compiler knows that results do not change what they are
/// computed from.
#[inline(always)]
fn unknown<E, const W: usize>() -> [Values<E>; W] {
    [const { [const { MaybeUninit::uninit() }; CHUNK] }; W]
}

impl<E: Float, const M: usize, const N: usize> Row<E> for CpuRows<'_, E, M, N> {
    /// Where it lies among the numbers.
    type Number = usize;

    #[inline(always)]
    fn pass<const A: usize, const S: usize, const W: usize>(
        &mut self,
        ins: [usize; A],
        numbers: [usize; S],
        to: [RowTo; W],
        f: impl Fn([E; A], [E; S]) -> [E; W] + Copy,
    ) -> [usize; W] {
        let names = to.map(|to| match to {
            RowTo::Sum | RowTo::Max => self.new_number(),
            RowTo::Out(_) | RowTo::Keep(_) => usize::MAX,
        });
        let mut spread = unknown::<E, S>();
        unrolled!(k in S => self.spread(numbers[k], &mut spread[k]));
        let (mut sums, mut maxima) = ([[0.0; BLOCK]; W], [[E::NEG_INFINITY; BLOCK]; W]);
        let mut place = 0;
        while place < self.len {
            let len = CHUNK.min(self.len - place);
            let pitch = if self.block > 1 { pitch(len) } else { len.next_multiple_of(STEP) };
            let tile = Tile { rows: self.count, place, len, pitch };
            let mut values = unknown::<E, W>();
            self.evaluate(tile, ins, &spread, f, &mut values);
            unrolled!(w in W => {
                // SAFETY: the values of the tile are written.
                let values = unsafe { known(&values[w], tile) };
                match to[w] {
                    RowTo::Keep(kept) => self.keep(tile, kept, values),
                    RowTo::Out(out) => self.store(tile, out, values),
                    RowTo::Sum => {
                        for (sum, row) in sums[w].iter_mut().zip(values.chunks_exact(tile.pitch)) {
                            *sum += fold::sum(row, len);
                        }
                    }
                    RowTo::Max => {
                        for (max, row) in maxima[w].iter_mut().zip(values.chunks_exact(tile.pitch)) {
                            *max = fold::larger(*max, fold::max(row, len));
                        }
                    }
                }
            });
            place += len;
        }
        unrolled!(w in W => match to[w] {
            RowTo::Sum => self.learn(names[w], sums[w].map(E::from_f64)),
            RowTo::Max => self.learn(names[w], maxima[w]),
            RowTo::Keep(_) | RowTo::Out(_) => {}
        });
        names
    }

    #[inline(always)]
    fn pick<const A: usize, const S: usize>(
        &mut self,
        index: usize,
        ins: [usize; A],
        numbers: [usize; S],
        f: impl Fn([E; A], [E; S]) -> E + Copy,
    ) -> usize {
        let name = self.new_number();
        for row in 0..self.count {
            let [index] = self.numbers_of([index], row);
            let picked = match place_of(index).filter(|place| *place < self.len) {
                // SAFETY: each pointer is good for one element.
                Some(place) => f(
                    std::array::from_fn(|k| unsafe { *self.elements(ins[k], row, place, [1, 1]) }),
                    self.numbers_of(numbers, row),
                ),
                None => {
                    report(self.fault, self.first + row, index.to_f64());
                    E::ZERO
                }
            };
            self.numbers[name * BLOCK + row] = picked;
        }
        name
    }

    #[inline(always)]
    fn number<const S: usize>(
        &mut self,
        numbers: [usize; S],
        f: impl Fn([E; S]) -> E + Copy,
    ) -> usize {
        let name = self.new_number();
        let all: [[E; BLOCK]; S] = numbers.map(|number| {
            let first = number * BLOCK;
            std::array::from_fn(|row| self.numbers[first..first + BLOCK][row])
        });
        // All rows of a block at once, also those that are not there.
        let results: [E; BLOCK] = std::array::from_fn(
            #[inline(always)]
            |row| f(std::array::from_fn(|k| all[k][row])),
        );
        self.learn(name, results);
        name
    }

    #[inline(always)]
    fn put(&mut self, out: usize, number: usize) {
        assert!(!self.wide[out], "a program stores a number in the place of a row");
        let numbers = &self.numbers[number * BLOCK..][..self.count];
        // SAFETY: an output that is not wide has a number for each row, and these belong to this thread.
        unsafe {
            let target = self.outs[out].get().add(self.first);
            target.copy_from_nonoverlapping(numbers.as_ptr(), numbers.len());
        }
    }
}

impl<E: Float, const M: usize, const N: usize> CpuRows<'_, E, M, N> {
    /// Evaluates `f` at every element of a tile, and behind the rows' ends.
    #[inline(always)]
    fn evaluate<const A: usize, const S: usize, const W: usize>(
        &mut self,
        tile: Tile,
        ins: [usize; A],
        numbers: &[Values<E>; S],
        f: impl Fn([E; A], [E; S]) -> [E; W],
        values: &mut [Values<E>; W],
    ) {
        let mut laid_out = unknown::<E, A>();
        let mut from = [std::ptr::null(); A];
        unrolled!(k in A => from[k] = self.laid_out(ins[k], tile, &mut laid_out[k]));
        let steps = tile.steps();
        for i in 0..steps {
            // Without tests of bounds, which would be a second way out of the loop: the compiler would then compute
            // its last step one by one.
            // SAFETY: `steps` is at most the length of the tiles' memory; `from` are good for as many elements,
            // and `numbers` are written for them.
            unsafe {
                let elements = std::array::from_fn(
                    #[inline(always)]
                    |k| *from[k].add(i),
                );
                let numbers = std::array::from_fn(
                    #[inline(always)]
                    |k| numbers[k].get_unchecked(i).assume_init(),
                );
                for (values, result) in values.iter_mut().zip(f(elements, numbers)) {
                    values.get_unchecked_mut(i).write(result);
                }
            }
        }
    }

    /// The number of each row at all elements of the row, as tiles need it.
    #[inline(always)]
    fn spread(&self, number: usize, memory: &mut Values<E>) {
        let pitch = pitch(self.len).clamp(1, CHUNK);
        let numbers = &self.numbers[number * BLOCK..][..self.count];
        for (row, &number) in memory.chunks_exact_mut(pitch).zip(numbers) {
            row.fill(MaybeUninit::new(number));
        }
        let written = pitch * self.count;
        memory[written..written.next_multiple_of(STEP).min(CHUNK)].fill(MaybeUninit::new(E::ZERO));
    }

    /// A pointer to the elements of an input or a kept row, the tile's rows at their pitch: where they are, or in
    /// `memory`.
    #[inline(always)]
    fn laid_out(&mut self, input: usize, tile: Tile, memory: &mut Values<E>) -> *const E {
        let Tile { rows, place, len, pitch } = tile;
        if let Some(kept) = input.checked_sub(N) {
            return self.kept_from(kept, 0, place, tile.steps()).as_ptr();
        }
        let first = self.elements(input, 0, place, [len, pitch]);
        if self.block == 1 {
            return first;
        }
        let repeats = self.chunks.repeats(input, len);
        for row in 0..rows {
            let from = match repeats || row == 0 {
                true => first,
                false => self.elements(input, row, place, [len, pitch]),
            };
            for group in (0..pitch).step_by(LANES) {
                let to = memory[row * pitch + group..][..LANES].as_mut_ptr().cast::<E>();
                // SAFETY: the elements are good for the pitch, and `memory` is another place.
                unsafe { to.copy_from_nonoverlapping(from.add(group), LANES) };
            }
        }
        memory[rows * pitch..tile.steps()].fill(MaybeUninit::new(E::ZERO));
        memory.as_ptr().cast()
    }

    #[inline(always)]
    fn keep(&mut self, tile: Tile, kept: usize, values: &[E]) {
        for (row, values) in values.chunks_exact(tile.pitch).enumerate() {
            copy(values, self.kept_from(kept, row, tile.place, tile.pitch));
        }
    }

    #[inline(always)]
    fn store(&mut self, tile: Tile, out: usize, values: &[E]) {
        for (row, values) in values.chunks_exact(tile.pitch).enumerate() {
            let target = self.out_from(out, row, tile.place);
            // SAFETY: a wide output has room for all rows, and these belong to this thread.
            let target = unsafe { std::slice::from_raw_parts_mut(target, tile.len) };
            copy(&values[..tile.len], target);
        }
    }

    /// Takes down a number of each row.
    #[inline(always)]
    fn learn(&mut self, number: usize, values: [E; BLOCK]) {
        self.numbers[number * BLOCK..][..BLOCK].copy_from_slice(&values);
    }
}

/// The rows of a block, or a piece of one row: at most [`CHUNK`] elements.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    /// The first element of each row.
    place: usize,
    /// How many there are of each row, and their distance from those of the next.
    len: usize,
    pitch: usize,
}

impl Tile {
    /// How many elements are computed, those behind the ends among them.
    #[inline(always)]
    fn steps(self) -> usize {
        (self.rows * self.pitch).next_multiple_of(STEP).min(CHUNK)
    }
}

/// What is computed in a tile.
///
/// # Safety
/// It must be written.
#[inline(always)]
unsafe fn known<E>(values: &Values<E>, tile: Tile) -> &[E] {
    let count = (tile.rows * tile.pitch).min(CHUNK);
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), count) }
}

/// Copies without the cost of a call where it is short.
#[inline(always)]
fn copy<E: Float>(from: &[E], to: &mut [E]) {
    const SHORT: usize = 64;
    if from.len() > SHORT {
        to.copy_from_slice(from);
    } else {
        frame::copy(from, to);
    }
}

/// The place that an index says. What was rounded to a float of 2^24 or more in f32 may have been another.
#[inline(always)]
fn place_of<E: Float>(index: E) -> Option<usize> {
    let (x, exact) =
        (index.to_f64(), if E::NAME == "F32" { 16_777_216.0 } else { 4_294_967_296.0 });
    let right = (0.0..exact).contains(&x) && x.fract() == 0.0;
    right.then_some(x as usize)
}

/// Remembers the first wrong row, whichever thread finds one first.
#[cold]
#[inline(never)]
fn report(fault: &Fault, row: usize, index: f64) {
    let mut first = fault.lock().unwrap_or_else(PoisonError::into_inner);
    if first.is_none_or(|(other, _)| row < other) {
        *first = Some((row, index));
    }
}
