//! Programs over rows: each row is in the first cache from its first pass to its last.
//!
//! A thread takes some of the rows, one after another. A pass goes over a row a chunk at a time, in whole
//! groups of lanes: what lies behind the row's end is computed too and thrown away, so that a short
//! row is one vector and not a scalar loop.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use super::inputs::{CHUNK, Chunks, Inputs};
use super::reduce::{combine, fold_line, start};
use super::units_per_task;
use crate::cpu::run::{CpuRun, Ptr, broken, disjoint, overlap, sized};
use crate::cpu::scratch;
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, Fold, GRID_RANK, Grid, Row, RowProgram, RowTo, Slot, Span};
use crate::element::Float;
use crate::error::Error;

/// Elements that are worth a task of their own: a program takes a few passes over them.
const TASK_ELEMENTS: usize = 1 << 13;
/// A row is computed in groups of as many elements.
const LANES: usize = 16;
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
        let pitch = pitch(len);
        scratch::with(scratch::lines::<E>(T::KEPT * pitch), |mut scratch| {
            let kept = scratch.take::<E>(T::KEPT * pitch);
            on_this_processor(&job, kept, from, to);
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

/// The distance of kept rows.
fn pitch(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// Runs the program for the rows from `from` to `to`, with the best instructions. Numbers between the passes are
/// computed with them too.
fn on_this_processor<E, T, const M: usize, const N: usize, const P: usize, const C: usize>(
    job: &Job<'_, E, T, M, N, P, C>,
    kept: &mut [E],
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
        (job: &Job<'_, E, T, M, N, P, C>, kept: &mut [E], from: usize, to: usize)
    );
}

#[inline(always)]
fn some_rows<E, T, const M: usize, const N: usize, const P: usize, const C: usize>(
    job: &Job<'_, E, T, M, N, P, C>,
    kept: &mut [E],
    from: usize,
    to: usize,
) where
    E: Float,
    T: RowProgram<E, P, C>,
{
    let mut params = job.params.chunks();
    let mut row = CpuRow {
        chunks: job.inputs.chunks(),
        outs: job.outs,
        wide: T::WIDE,
        kept,
        len: job.len,
        row: from,
        fault: job.fault,
    };
    let mut first = from;
    while first < to {
        let count = CHUNK.min(to - first);
        let numbers = params.at(first, count);
        for i in 0..count {
            row.row = first + i;
            // SAFETY: `numbers` are good for `count` elements.
            let params = std::array::from_fn(|k| unsafe { *numbers[k].add(i) });
            job.program.run(&mut row, params, job.consts);
        }
        first += count;
    }
}

/// A row, on one thread.
struct CpuRow<'t, E, const M: usize, const N: usize> {
    chunks: Chunks<'t, E, N>,
    outs: [Ptr<E>; M],
    wide: &'static [bool],
    kept: &'t mut [E],
    len: usize,
    row: usize,
    fault: &'t Fault,
}

impl<E: Float, const M: usize, const N: usize> CpuRow<'_, E, M, N> {
    /// A pointer to `len` elements of an input or a kept row from `place` on, good for `padded`.
    #[inline(always)]
    fn elements(&mut self, input: usize, place: usize, len: usize, padded: usize) -> *const E {
        match input.checked_sub(N) {
            None => self.chunks.padded(input, self.row * self.len + place, len, padded),
            Some(kept) => self.kept_from(kept, place, padded).as_ptr(),
        }
    }

    /// The elements of a kept row from `place` on.
    #[inline(always)]
    fn kept_from(&mut self, kept: usize, place: usize, padded: usize) -> &mut [E] {
        let first = kept * pitch(self.len) + place;
        &mut self.kept[first..first + padded]
    }

    /// The elements of a wide output of this row from `place` on, of which there are `len`.
    #[inline(always)]
    fn out_from(&self, out: usize, place: usize) -> *mut E {
        assert!(self.wide[out], "a program stores a row in the place of a number");
        self.outs[out].get().wrapping_add(self.row * self.len + place)
    }
}

/// Memory for what a pass yields in a chunk.
type Values<E> = [MaybeUninit<E>; CHUNK];

impl<E: Float, const M: usize, const N: usize> Row<E> for CpuRow<'_, E, M, N> {
    #[inline(always)]
    fn pass<const A: usize, const W: usize>(
        &mut self,
        ins: [usize; A],
        to: [RowTo; W],
        f: impl Fn([E; A]) -> [E; W] + Copy,
    ) -> [E; W] {
        let mut folds = to.map(|to| fold_of(to).map_or(0.0, start));
        let mut place = 0;
        while place < self.len {
            let len = CHUNK.min(self.len - place);
            let padded = pitch(len);
            let ins: [*const E; A] =
                std::array::from_fn(|k| self.elements(ins[k], place, len, padded));
            // Memory of its own, so that the compiler knows that results do not change what `f` reads.
            let mut values: [Values<E>; W] =
                [const { [const { MaybeUninit::uninit() }; CHUNK] }; W];
            for i in 0..padded.min(CHUNK) {
                // SAFETY: `ins` are good for `padded` elements.
                let results = f(std::array::from_fn(
                    #[inline(always)]
                    |k| unsafe { *ins[k].add(i) },
                ));
                for (values, result) in values.iter_mut().zip(results) {
                    values[i].write(result);
                }
            }
            for w in 0..W {
                // SAFETY: the first `padded` values are written.
                let values: &mut [E] = unsafe {
                    std::slice::from_raw_parts_mut(values[w].as_mut_ptr().cast(), padded)
                };
                match to[w] {
                    RowTo::Keep(kept) => {
                        self.kept_from(kept, place, padded).copy_from_slice(values);
                    }
                    RowTo::Out(out) => {
                        let target = self.out_from(out, place);
                        // SAFETY: a wide output has room for all rows, and this row belongs to this thread.
                        let target = unsafe { std::slice::from_raw_parts_mut(target, len) };
                        target.copy_from_slice(&values[..len]);
                    }
                    RowTo::Sum => folds[w] = folded(Fold::Sum, folds[w], values, len),
                    RowTo::Max => folds[w] = folded(Fold::Max, folds[w], values, len),
                }
            }
            place += len;
        }
        folds.map(E::from_f64)
    }

    #[inline(always)]
    fn pick<const A: usize>(
        &mut self,
        index: E,
        ins: [usize; A],
        f: impl Fn([E; A]) -> E + Copy,
    ) -> E {
        let Some(place) = place_of(index).filter(|place| *place < self.len) else {
            report(self.fault, self.row, index.to_f64());
            return E::ZERO;
        };
        // SAFETY: each pointer is good for one element.
        f(std::array::from_fn(|k| unsafe { *self.elements(ins[k], place, 1, 1) }))
    }

    #[inline(always)]
    fn put(&mut self, out: usize, value: E) {
        assert!(!self.wide[out], "a program stores a number in the place of a row");
        // SAFETY: an output that is not wide has a number for each row, and this one belongs to this thread.
        unsafe { self.outs[out].get().add(self.row).write(value) };
    }
}

#[inline(always)]
fn fold_of(to: RowTo) -> Option<Fold> {
    match to {
        RowTo::Sum => Some(Fold::Sum),
        RowTo::Max => Some(Fold::Max),
        RowTo::Out(_) | RowTo::Keep(_) => None,
    }
}

/// The fold of the first `len` values, with the one so far. The others change nothing.
#[inline(always)]
fn folded<E: Float>(fold: Fold, so_far: f64, values: &mut [E], len: usize) -> f64 {
    values[len..].fill(E::from_f64(start(fold)));
    combine(fold, so_far, fold_line(fold, values))
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
