//! Copies into strided places, fills, and running sums.

use super::inputs::Inputs;
use super::{TASK_ELEMENTS, units_per_task};
use crate::cpu::run::{CpuRun, broken, disjoint, sized};
use crate::device::{Arg, GRID_RANK, Grid, Span};
use crate::element::Float;

/// Calls `task(from, to)` for pieces of `units`, which are `work` elements altogether.
fn in_tasks<E>(run: &CpuRun<'_, E>, units: usize, work: usize, task: impl Fn(usize, usize) + Sync) {
    if work < 2 * TASK_ELEMENTS {
        task(0, units);
        return;
    }
    let per_task = units_per_task(units, work, TASK_ELEMENTS);
    run.pool.run(units.div_ceil(per_task), |i| {
        task(i * per_task, ((i + 1) * per_task).min(units));
    });
}

pub(super) fn fill<E: Float>(run: &CpuRun<'_, E>, out: Span, value: E) {
    let target = run.write(out);
    in_tasks(run, out.len, out.len, |from, to| {
        // SAFETY: the span holds these elements, and each belongs to one task.
        unsafe { std::slice::from_raw_parts_mut(target.get().add(from), to - from) }.fill(value);
    });
}

/// Checks that every place of a grid lies in a span.
fn inside(out: Span, offset: usize, strides: [isize; GRID_RANK], grid: Grid) {
    let mut ends = Some((offset as i128, offset as i128));
    for (&size, &stride) in grid.iter().zip(&strides) {
        let reach = (size as i128 - 1).checked_mul(stride as i128);
        ends = ends.zip(reach).and_then(|((low, high), reach)| {
            Some((low.checked_add(reach.min(0))?, high.checked_add(reach.max(0))?))
        });
    }
    if ends.is_none_or(|(low, high)| low < 0 || high >= out.len as i128) {
        broken(out, &format!("strides {strides:?} from {offset} on the grid {grid:?} leave it"));
    }
}

pub(super) fn copy<E: Float>(
    run: &CpuRun<'_, E>,
    out: Span,
    offset: usize,
    strides: [isize; GRID_RANK],
    grid: Grid,
    input: Arg,
) {
    let total: usize = grid.iter().product();
    if total == 0 {
        return;
    }
    inside(out, offset, strides, grid);
    if let Arg::View { span, .. } = input {
        disjoint(out, span);
    }
    let inputs = Inputs::new(run, grid, [input], &[]);
    let target = run.write(out);
    let (line, stride) = (grid[GRID_RANK - 1], strides[GRID_RANK - 1]);
    // Where the line that a position lies on begins in the output.
    let start = |position: usize| {
        let (mut rest, mut place) = (position / line, offset as isize);
        for axis in (0..GRID_RANK - 1).rev() {
            place += (rest % grid[axis]) as isize * strides[axis];
            rest /= grid[axis];
        }
        place
    };
    in_tasks(run, total, total, |from, to| {
        let mut chunks = inputs.chunks();
        let mut position = from;
        while position < to {
            let len = inputs.chunk.min(to - position);
            let [values] = chunks.at(position, len);
            let mut done = 0;
            while done < len {
                let inner = (position + done) % line;
                let count = (line - inner).min(len - done);
                let place = start(position + done) + inner as isize * stride;
                // SAFETY: `values` has `len` elements; `inside` has checked the places, and no two positions
                // have the same one.
                unsafe {
                    let (to, from) = (target.get().offset(place), values.add(done));
                    if stride == 1 {
                        to.copy_from_nonoverlapping(from, count);
                    } else {
                        for i in 0..count {
                            to.offset(i as isize * stride).write(*from.add(i));
                        }
                    }
                }
                done += count;
            }
            position += len;
        }
    });
}

/// Sums are kept in f64, so that long ones of f32 stay exact.
pub(super) fn cumsum<E: Float>(
    run: &CpuRun<'_, E>,
    out: Span,
    x: Span,
    [outer, len, inner]: [usize; 3],
    reverse: bool,
) {
    let total = outer * len * inner;
    if total == 0 {
        return;
    }
    sized(out, total);
    sized(x, total);
    disjoint(out, x);
    let (target, x) = (run.write(out), run.read(x));
    in_tasks(run, outer * inner, total, |from, to| {
        for line in from..to {
            let first = line / inner * len * inner + line % inner;
            let mut sum = 0.0;
            for i in 0..len {
                let place = first + if reverse { len - 1 - i } else { i } * inner;
                // SAFETY: the spans hold all lines, and each belongs to one task.
                unsafe {
                    sum += (*x.get().add(place)).to_f64();
                    target.get().add(place).write(E::from_f64(sum));
                }
            }
        }
    });
}
