//! A fused scalar expression over a grid.

use std::mem::MaybeUninit;

use super::inputs::{CHUNK, Inputs};
use super::{TASK_ELEMENTS, units_per_task};
use crate::cpu::run::{CpuRun, Ptr, overlap, separate, sized};
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Arg, Grid, Span};
use crate::element::Float;

pub(super) fn map<E: Float, const M: usize, const N: usize, const C: usize>(
    run: &CpuRun<'_, E>,
    outs: [Span; M],
    grid: Grid,
    args: [Arg; N],
    consts: [E; C],
    f: impl Fn([E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
) {
    let total = grid.iter().product();
    outs.iter().for_each(|out| sized(*out, total));
    separate(&outs);
    let targets = outs.map(|out| run.write(out));
    let inputs = Inputs::new(run, grid, args, &outs);
    let task = |start: usize, end: usize| {
        let mut chunks = inputs.chunks();
        let mut position = start;
        while position < end {
            let len = inputs.chunk.min(end - position);
            let ins = chunks.at(position, len);
            let outs = targets.map(|target| target.get().wrapping_add(position));
            // SAFETY: `ins` and `outs` are good for `len` elements.
            unsafe {
                evaluate(
                    #[inline(always)]
                    |i| {
                        f(
                            std::array::from_fn(
                                #[inline(always)]
                                |k| *ins[k].add(i),
                            ),
                            consts,
                        )
                    },
                    outs,
                    len,
                );
            }
            position += len;
        }
    };
    in_tasks(run, total, inputs.chunk, task);
}

/// Cuts `total` positions into tasks of whole chunks.
fn in_tasks<E>(
    run: &CpuRun<'_, E>,
    total: usize,
    chunk: usize,
    task: impl Fn(usize, usize) + Sync,
) {
    if total < 2 * TASK_ELEMENTS {
        task(0, total);
        return;
    }
    let per_task = chunk * units_per_task(total.div_ceil(chunk), total, TASK_ELEMENTS);
    run.pool.run(total.div_ceil(per_task), |i| {
        task(i * per_task, ((i + 1) * per_task).min(total));
    });
}

/// Which output the sums of a product can be computed in: the first that no input of the epilogue lies in.
/// Where there is none, they need another place.
pub(super) fn place_of_sums(outs: &[Span], args: &[Arg]) -> Option<usize> {
    let read = |out: Span, arg: &Arg| matches!(arg, Arg::View { span, .. } if overlap(*span, out));
    outs.iter().position(|out| !args.iter().any(|arg| read(*out, arg)))
}

/// Stores `epilogue(sums, inputs)` in the elements of `outs` from grid position `start` to `end`, while the
/// sums are still in the cache. `outs` point to the first element of the whole grid, `sums` to the one of
/// position `start`; they may be the same elements as those of one of `outs`.
///
/// # Safety
/// `outs` must be good for the grid's elements, `sums` for `end - start`; no other thread may use them.
pub(super) unsafe fn finish<E: Float, const M: usize, const N: usize, const C: usize>(
    sums: *const E,
    outs: [Ptr<E>; M],
    start: usize,
    end: usize,
    inputs: &Inputs<E, N>,
    consts: [E; C],
    epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy,
) {
    let mut chunks = inputs.chunks();
    let mut position = start;
    while position < end {
        let len = inputs.chunk.min(end - position);
        let ins = chunks.at(position, len);
        let sums = sums.wrapping_add(position - start);
        let targets = outs.map(|out| out.get().wrapping_add(position));
        // SAFETY: the caller's promise, and `ins` are good for `len` elements.
        unsafe {
            evaluate(
                #[inline(always)]
                |i| {
                    let ins = std::array::from_fn(
                        #[inline(always)]
                        |k| *ins[k].add(i),
                    );
                    epilogue(*sums.add(i), ins, consts)
                },
                targets,
                len,
            );
        }
        position += len;
    }
}

/// Stores `f(i)` for every `i` below `len`, at most [`CHUNK`].
///
/// # Safety
/// `outs` must be good for `len` elements each. What `f` reads may be the same elements of `outs`.
#[inline]
pub(super) unsafe fn evaluate<E: Float, const M: usize, F: Fn(usize) -> [E; M]>(
    f: F,
    outs: [*mut E; M],
    len: usize,
) {
    assert!(len <= CHUNK);
    for_each_level!(
        level(), [E: Float, const M: usize, F: Fn(usize) -> [E; M]] [E, M, F], evaluate_body,
        (f: F, outs: [*mut E; M], len: usize)
    );
}

/// Through memory of its own, so that the compiler knows that the results do not change what `f` reads:
/// it vectorises without a test for overlaps, in place too.
///
/// # Safety
/// As for [`evaluate`].
#[inline(always)]
unsafe fn evaluate_body<E: Float, const M: usize, F: Fn(usize) -> [E; M]>(
    f: F,
    outs: [*mut E; M],
    len: usize,
) {
    let mut results = [const { [const { MaybeUninit::<E>::uninit() }; CHUNK] }; M];
    for i in 0..len.min(CHUNK) {
        for (results, value) in results.iter_mut().zip(f(i)) {
            results[i].write(value);
        }
    }
    for j in 0..M {
        // SAFETY: the first `len` results are written, and the caller's promise.
        unsafe { outs[j].copy_from_nonoverlapping(results[j].as_ptr().cast(), len) };
    }
}
