//! Sums and maxima over any set of axes, with a fused expression in front.
//!
//! The grid is visited in its order, a chunk at a time, whatever the axes are: the values of a chunk
//! fall into runs along the innermost axis, and a run is either folded into one result or, element by
//! element, into as many. Results are kept in f64, so that long sums of f32 stay exact.

use super::fold::{self, LANES};
use super::inputs::{CHUNK, Inputs};
use super::map::evaluate;
use super::units_per_task;
use crate::cpu::run::{CpuRun, Ptr, sized};
use crate::cpu::scratch;
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, Fold, GRID_RANK, Grid, Span};
use crate::element::Float;

/// Elements that are worth a task of their own.
const TASK_ELEMENTS: usize = 1 << 15;
/// The most partial results of one output.
const MAX_PARTS: usize = 32;

/// The axes after neighbours of the same kind are merged, innermost last, padded in front with size 1.
#[derive(Clone, Copy)]
struct Layout {
    sizes: Grid,
    reduced: [bool; GRID_RANK],
    /// Elements of the output from one coordinate to the next; 0 for reduced axes.
    out_strides: [usize; GRID_RANK],
    /// The first axis that is not padding.
    outer: usize,
    /// The number of results.
    outs: usize,
}

impl Layout {
    fn new(grid: Grid, reduced: [bool; GRID_RANK]) -> Self {
        let (mut sizes, mut kinds) = ([1; GRID_RANK], [false; GRID_RANK]);
        let mut last = GRID_RANK;
        for axis in (0..GRID_RANK).rev().filter(|&axis| grid[axis] != 1) {
            if last == GRID_RANK || kinds[last] != reduced[axis] {
                last -= 1;
                kinds[last] = reduced[axis];
            }
            sizes[last] *= grid[axis];
        }
        let (mut out_strides, mut outs) = ([0; GRID_RANK], 1);
        for axis in (0..GRID_RANK).rev().filter(|&axis| !kinds[axis]) {
            out_strides[axis] = outs;
            outs *= sizes[axis];
        }
        Layout { sizes, reduced: kinds, out_strides, outer: last.min(GRID_RANK - 1), outs }
    }

    /// The position on the innermost axis, and the first result that its line goes into.
    #[inline]
    fn at(&self, position: usize) -> (usize, usize) {
        let inner = GRID_RANK - 1;
        let (mut rest, place) = (position / self.sizes[inner], position % self.sizes[inner]);
        let mut out = 0;
        for axis in (0..inner).rev() {
            if rest == 0 {
                break;
            }
            out += rest % self.sizes[axis] * self.out_strides[axis];
            rest /= self.sizes[axis];
        }
        (place, out)
    }
}

const fn start(fold: Fold) -> f64 {
    match fold {
        Fold::Sum => 0.0,
        Fold::Max => f64::NEG_INFINITY,
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn reduce<E: Float, const N: usize, const C: usize>(
    run: &CpuRun<'_, E>,
    out: Span,
    fold: Fold,
    grid: Grid,
    reduced: [bool; GRID_RANK],
    args: [Arg; N],
    consts: [E; C],
    f: impl Fn([E; N], [E; C]) -> E + Copy + Send + Sync,
) {
    let layout = Layout::new(grid, reduced);
    sized(out, layout.outs);
    let target = run.write(out);
    let inputs = Inputs::new(run, grid, args, &[]);
    args_are_not(out, &args);
    let fill = |results: &mut [f64], first: usize, from: usize, to: usize| {
        results.fill(start(fold));
        let mut chunks = inputs.chunks();
        let mut values = [E::ZERO; CHUNK];
        let mut position = from;
        while position < to {
            let len = inputs.chunk.min(to - position);
            let ins = chunks.at(position, len);
            // SAFETY: `ins` and `values` are good for `len` elements.
            unsafe {
                evaluate(
                    #[inline(always)]
                    |i| {
                        [f(
                            std::array::from_fn(
                                #[inline(always)]
                                |k| *ins[k].add(i),
                            ),
                            consts,
                        )]
                    },
                    [values.as_mut_ptr()],
                    len,
                );
            }
            fold_chunk(&layout, fold, &values[..len], position, first, results);
            position += len;
        }
    };
    in_parts(run, &layout, fold, target, &fill);
}

/// A reduction never works in place.
fn args_are_not(out: Span, args: &[Arg]) {
    for arg in args {
        if let Arg::View { span, .. } = arg {
            crate::cpu::run::disjoint(out, *span);
        }
    }
}

/// Cuts the outermost axis. A kept axis gives each task results of its own; a reduced one gives parts of
/// all results, which are folded in their order. `fill(results, first, from, to)` folds the positions from
/// `from` to `to` into results, of which the first is number `first`.
fn in_parts<E: Float>(
    run: &CpuRun<'_, E>,
    layout: &Layout,
    fold: Fold,
    target: Ptr<E>,
    fill: &(impl Fn(&mut [f64], usize, usize, usize) + Sync),
) {
    let outer = layout.sizes[layout.outer];
    let line: usize = layout.sizes[layout.outer + 1..].iter().product();
    let total = outer * line;
    let mut per_part = units_per_task(outer, total, TASK_ELEMENTS);
    if total < 2 * TASK_ELEMENTS {
        per_part = outer.max(1);
    }
    let outs = layout.outs;
    let store = |results: &[f64], first: usize| {
        for (i, &result) in results.iter().enumerate() {
            // SAFETY: the output has a place for every result, and each belongs to one task.
            unsafe { target.get().add(first + i).write(E::from_f64(result)) };
        }
    };
    if !layout.reduced[layout.outer] {
        let outs_per_unit = outs / outer.max(1);
        run.pool.run(outer.div_ceil(per_part), |part| {
            let (from, to) = (part * per_part, ((part + 1) * per_part).min(outer));
            with_results((to - from) * outs_per_unit, |results| {
                fill(results, from * outs_per_unit, from * line, to * line);
                store(results, from * outs_per_unit);
            });
        });
        return;
    }
    per_part = per_part.max(outer.div_ceil(MAX_PARTS));
    let parts = outer.div_ceil(per_part).max(1);
    with_results(parts * outs, |results| {
        let first = Ptr(results.as_mut_ptr());
        run.pool.run(parts, |part| {
            // SAFETY: `results` has a piece for each part, which only its task uses.
            let piece =
                unsafe { std::slice::from_raw_parts_mut(first.get().add(part * outs), outs) };
            let (from, to) = (part * per_part, ((part + 1) * per_part).min(outer));
            fill(piece, 0, from * line, to * line);
        });
        let (sum, others) = results.split_at_mut(outs);
        for part in others.chunks_exact(outs.max(1)) {
            for (sum, &x) in sum.iter_mut().zip(part) {
                *sum = combine(fold, *sum, x);
            }
        }
        store(sum, 0);
    });
}

/// Calls `f` with memory for results: on the stack where they are few.
fn with_results(len: usize, f: impl FnOnce(&mut [f64])) {
    const FEW: usize = 32;
    if len <= FEW {
        f(&mut [0.0; FEW][..len]);
    } else {
        scratch::with(scratch::lines::<f64>(len), |mut scratch| f(scratch.take(len)));
    }
}

#[inline(always)]
fn combine(fold: Fold, a: f64, x: f64) -> f64 {
    match fold {
        Fold::Sum => a + x,
        // What is not a number stays, wherever it is.
        Fold::Max => {
            if x > a || x.is_nan() {
                x
            } else {
                a
            }
        }
    }
}

/// Folds the values of the positions from `start` on into results, of which the first is number `first`.
fn fold_chunk<E: Float>(
    layout: &Layout,
    fold: Fold,
    values: &[E],
    start: usize,
    first: usize,
    results: &mut [f64],
) {
    // One function for each combination, so that the loops have no choice in them.
    match (fold, layout.reduced[GRID_RANK - 1]) {
        (Fold::Sum, true) => fold_with::<E, false, true>(layout, values, start, first, results),
        (Fold::Sum, false) => fold_with::<E, false, false>(layout, values, start, first, results),
        (Fold::Max, true) => fold_with::<E, true, true>(layout, values, start, first, results),
        (Fold::Max, false) => fold_with::<E, true, false>(layout, values, start, first, results),
    }
}

fn fold_with<E: Float, const MAX: bool, const INTO_ONE: bool>(
    layout: &Layout,
    values: &[E],
    start: usize,
    first: usize,
    results: &mut [f64],
) {
    for_each_level!(
        level(), [E: Float, const MAX: bool, const INTO_ONE: bool] [E, MAX, INTO_ONE], fold_body,
        (layout: &Layout, values: &[E], start: usize, first: usize, results: &mut [f64])
    );
}

#[inline(always)]
fn fold_body<E: Float, const MAX: bool, const INTO_ONE: bool>(
    layout: &Layout,
    values: &[E],
    start: usize,
    first: usize,
    results: &mut [f64],
) {
    let fold = if MAX { Fold::Max } else { Fold::Sum };
    let size = layout.sizes[GRID_RANK - 1];
    let mut place = 0;
    while place < values.len() {
        let (inner, out) = layout.at(start + place);
        let count = (size - inner).min(values.len() - place);
        let line = &values[place..place + count];
        if INTO_ONE {
            let result = &mut results[out - first];
            *result = combine(fold, *result, fold_line(fold, line));
        } else {
            let results = &mut results[out + inner - first..][..count];
            for (result, x) in results.iter_mut().zip(line) {
                *result = combine(fold, *result, x.to_f64());
            }
        }
        place += count;
    }
}

/// The fold of a line: of whole groups a vector at a time, and of the rest.
#[inline(always)]
fn fold_line<E: Float>(fold: Fold, line: &[E]) -> f64 {
    let (groups, rest) = line.split_at(line.len() - line.len() % LANES);
    let tail = rest.iter().fold(start(fold), |a, x| combine(fold, a, x.to_f64()));
    match fold {
        _ if groups.is_empty() => tail,
        Fold::Sum => combine(fold, fold::sum(groups, groups.len()), tail),
        Fold::Max => combine(fold, fold::max(groups, groups.len()).to_f64(), tail),
    }
}
