//! Programs over rows: each row is in the first cache from its first pass to its last.
//!
//! A thread takes some of the rows, one after another; short ones in blocks of a few, so that a pass over one
//! need not wait for the fold of another. A pass goes over a row a chunk at a time, in whole groups of
//! lanes: what lies behind the row's end is computed too and thrown away, so that a short row is one
//! vector and not a scalar loop.

mod block;

use std::sync::{Mutex, PoisonError};

use block::CpuRows;

use super::fold::LANES;
use super::inputs::{CHUNK, Inputs};
use super::units_per_task;
use crate::cpu::run::{CpuRun, Ptr, disjoint, separate, sized};
use crate::cpu::scratch;
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, GRID_RANK, Grid, Misindexed, RowProgram, Slot, Span};
use crate::element::Float;

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
        for arg in ins.iter().chain(&params) {
            if let Arg::View { span, .. } = arg {
                disjoint(out, *span);
            }
        }
    }
    separate(&outs);
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
        let of = Misindexed::of_rows(run.name, &ins, &params);
        let index = integer(run, of_rows, &params, row, index);
        run.fault.get_or_insert_with(|| of.error(row, index, len));
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

/// Remembers the first wrong row, whichever thread finds one first.
#[cold]
#[inline(never)]
fn report(fault: &Fault, row: usize, index: f64) {
    let mut first = fault.lock().unwrap_or_else(PoisonError::into_inner);
    if first.is_none_or(|(other, _)| row < other) {
        *first = Some((row, index));
    }
}
