//! Convolution, cut into tasks, with a fused epilogue.

use super::InnerLoops;
use super::channels::{PackPanels, panels};
use super::correlation::{Correlation, Way};
use super::inputs::Inputs;
use super::map::{finish, place_of_sums};
use super::tile::WIDTH;
use super::{TASK_ELEMENTS, TASK_PRODUCTS, units_per_task};
use crate::cpu::run::{CpuRun, Ptr, disjoint, separate, sized};
use crate::cpu::scratch::{self, lines};
use crate::device::{Arg, Conv2dDims, Span};
use crate::element::Float;

/// The elements of x, w and y.
pub(super) fn lens(d: &Conv2dDims) -> [usize; 3] {
    let out: usize = d.out_size().iter().product();
    let kernel = d.kernel[0] * d.kernel[1];
    [
        d.batch * d.in_channels * d.height * d.width,
        d.out_channels * (d.in_channels / d.groups.max(1)) * kernel,
        d.batch * d.out_channels * out,
    ]
}

/// Output channels of one group that are computed together, a multiple of `together` or all; fewer only where there are
/// too few samples to share the work.
fn channels_per_task(samples: usize, rows: usize, work: usize, together: usize) -> usize {
    if samples >= 8 || work < 2 * TASK_PRODUCTS {
        return rows;
    }
    together * units_per_task(rows.div_ceil(together), work, TASK_PRODUCTS)
}

#[allow(clippy::too_many_arguments)]
pub(super) fn conv2d<E: Float, const M: usize, const N: usize, const C: usize>(
    run: &CpuRun<'_, E>,
    ys: [Span; M],
    x: Span,
    w: Span,
    dims: Conv2dDims,
    args: [Arg; N],
    consts: [E; C],
    epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
) {
    let [x_len, w_len, y_len] = lens(&dims);
    if y_len == 0 {
        return;
    }
    sized(x, x_len);
    sized(w, w_len);
    for y in ys {
        sized(y, y_len);
        disjoint(y, x);
        disjoint(y, w);
    }
    separate(&ys);
    let [height, width] = dims.out_size();
    let grid = [dims.batch, dims.out_channels, height, width];
    let inputs = Inputs::new(run, grid, args, &ys);
    let (x, w, targets) = (run.read(x), run.read(w), ys.map(|y| run.write(y)));
    let place = place_of_sums(&ys, &args).map(|j| targets[j]);
    let correlation = Correlation::forward(&dims);
    let rows = dims.out_channels / dims.groups;
    // SAFETY: the spans hold all samples and weights, and the blocks of the tasks do not overlap.
    unsafe {
        correlate(run, &dims, &correlation, rows, x, w, place, &|sums, start, end| {
            finish(sums, targets, start, end, &inputs, consts, epilogue);
        });
    }
}

/// Computes a correlation for all groups of all samples of `x`, with weights [groups, rows, k]. The sums are stored in
/// `place` or, where there is none, in scratch memory. `done(sums, start, end)` is called where the sums that belong to
/// elements `start` to `end` of the result are there. It is not generic, so that this is compiled once for each type of
/// elements and not for each epilogue.
///
/// # Safety
/// `x` must be good for all samples, `w` for the weights and `place` for the result, which nobody else may use.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn correlate<E: Float>(
    run: &CpuRun<'_, E>,
    dims: &Conv2dDims,
    correlation: &Correlation,
    rows: usize,
    x: Ptr<E>,
    w: Ptr<E>,
    place: Option<Ptr<E>>,
    done: &(dyn Fn(*const E, usize, usize) + Sync),
) {
    let way = correlation.way(rows);
    let (k, apart) = (correlation.k(), place.is_none());
    let image = correlation.channels * correlation.frame.image[0] * correlation.frame.image[1];
    let blocks = |weights: Ptr<E>, group_len: usize| {
        for_each_block(run, dims, correlation, rows, way, &|block| {
            let lines = correlation.lines::<E>(way, block.rows, apart);
            scratch::with(lines, |mut scratch| {
                let mut room = correlation.room(way, block.rows, apart, &mut scratch);
                for unit in block.units.clone() {
                    let x = x.get().cast_const().wrapping_add(unit * image);
                    let of_group = unit % dims.groups * group_len + block.row * k;
                    let weights = weights.get().cast_const().wrapping_add(of_group);
                    let start = (unit * rows + block.row) * correlation.points();
                    let out = place.map(|place| place.get().wrapping_add(start));
                    // SAFETY: the caller's promise, and the blocks of the tasks do not overlap.
                    let sums =
                        unsafe { correlation.compute(way, x, weights, block.rows, out, &mut room) };
                    done(sums, start, start + block.rows * correlation.points());
                }
            });
        });
    };
    if way != Way::Channels {
        blocks(w, rows * k);
        return;
    }
    let group_len = panels(rows) * WIDTH * k;
    scratch::with(lines::<E>(dims.groups * group_len), |mut scratch| {
        let packed = Ptr(scratch.take::<E>(dims.groups * group_len).as_mut_ptr());
        // SAFETY: the caller's promise; the panels have these sizes.
        unsafe { pack(run, [dims.groups, rows, k], w, packed) };
        blocks(packed, group_len);
    });
}

/// Packs weights [groups, rows, k] into panels.
///
/// # Safety
/// `w` must be good for the weights, `packed` for [`panels`] of `k * WIDTH` elements for each group.
unsafe fn pack<E: Float>(
    run: &CpuRun<'_, E>,
    [groups, rows, k]: [usize; 3],
    w: Ptr<E>,
    packed: Ptr<E>,
) {
    let (total, count) = (groups * panels(rows), panels(rows));
    let per_task = units_per_task(total, total * WIDTH * k, TASK_ELEMENTS);
    run.pool.run(total.div_ceil(per_task), |task| {
        for panel in task * per_task..((task + 1) * per_task).min(total) {
            let (group, row) = (panel / count, panel % count * WIDTH);
            let pack = PackPanels {
                from: w.get().cast_const().wrapping_add((group * rows + row) * k),
                row: k,
                cols: WIDTH.min(rows - row),
                k,
                panels: packed.get().wrapping_add(panel * WIDTH * k),
            };
            // SAFETY: the caller's promise, and each panel belongs to one task.
            unsafe { E::Loops::pack_panels(pack) };
        }
    });
}

/// The part of a convolution that one task computes: rows of the weights for some groups of samples.
struct Block {
    /// `sample * groups + group`.
    units: std::ops::Range<usize>,
    row: usize,
    rows: usize,
}

/// Cuts a convolution whose weights have `rows` rows a group, and calls `task` for each block.
fn for_each_block<E: Float>(
    run: &CpuRun<'_, E>,
    dims: &Conv2dDims,
    correlation: &Correlation,
    rows: usize,
    way: Way,
    task: &(dyn Fn(Block) + Sync),
) {
    let units = dims.batch * dims.groups;
    let work = rows * correlation.k() * correlation.points();
    let together = if way == Way::Channels { WIDTH } else { 8 };
    let height = channels_per_task(units, rows, work, together);
    let strips = rows.div_ceil(height).max(1);
    let per_task = if work * units < 2 * TASK_PRODUCTS {
        units.max(1)
    } else {
        units_per_task(units, work * units, TASK_PRODUCTS)
    };
    run.pool.run(units.div_ceil(per_task) * strips, |i| {
        let (first, row) = (i / strips * per_task, i % strips * height);
        let rows = height.min(rows - row);
        task(Block { units: first..(first + per_task).min(units), row, rows });
    });
}
