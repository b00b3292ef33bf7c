//! The maximum of windows, as in PyTorch: the first of equal values, and not-a-number before all; and their
//! mean, in which the padding counts.

use std::ops::Range;

use super::halving::{Halve, Planes, ScatterHalves};
use super::{InnerLoops, TASK_ELEMENTS, units_per_task};
use crate::cpu::run::{CpuRun, disjoint, sized};
use crate::device::{Pool2dDims, Span};
use crate::element::Float;

/// Whether windows are two by two, side by side: the usual case, which is vectorised.
fn is_halving(dims: &Pool2dDims) -> bool {
    dims.kernel == [2, 2] && dims.stride == [2, 2] && dims.padding == [0, 0]
}

/// Calls `plane(i)` for every plane.
fn for_each_plane<E>(run: &CpuRun<'_, E>, dims: &Pool2dDims, plane: impl Fn(usize) + Sync) {
    for_each_task(run, dims, |planes| planes.for_each(&plane));
}

/// Calls `task` for some planes, until all have had their turn.
fn for_each_task<E>(run: &CpuRun<'_, E>, dims: &Pool2dDims, task: impl Fn(Range<usize>) + Sync) {
    let total = dims.planes * dims.height * dims.width;
    if total < 2 * TASK_ELEMENTS {
        task(0..dims.planes);
        return;
    }
    let per_task = units_per_task(dims.planes, total, TASK_ELEMENTS);
    run.pool.run(dims.planes.div_ceil(per_task), |i| {
        task(i * per_task..((i + 1) * per_task).min(dims.planes));
    });
}

/// Whether `x` takes the place of the maximum `best` so far.
#[inline(always)]
#[allow(clippy::eq_op)]
fn wins<E: Float>(x: E, best: E) -> bool {
    (x > best) | (x != x)
}

/// The place of the maximum of window (oy, ox). `None` where the window lies in the padding.
fn place_of_maximum<E: Float>(x: &[E], dims: &Pool2dDims, oy: usize, ox: usize) -> Option<usize> {
    let mut best = None;
    for place in places_of_window(dims, oy, ox) {
        if best.is_none_or(|best: usize| wins(x[place], x[best])) {
            best = Some(place);
        }
    }
    best
}

/// The places of window (oy, ox) that lie in the image, in row order.
fn places_of_window(dims: &Pool2dDims, oy: usize, ox: usize) -> impl Iterator<Item = usize> {
    let range = |o: usize, axis: usize, size: usize| {
        let first = o * dims.stride[axis];
        let end = (first + dims.kernel[axis]).saturating_sub(dims.padding[axis]).min(size);
        first.saturating_sub(dims.padding[axis])..end
    };
    let (rows, cols, width) = (range(oy, 0, dims.height), range(ox, 1, dims.width), dims.width);
    rows.flat_map(move |y| cols.clone().map(move |col| y * width + col))
}

/// The places of the maxima of all windows, in row order.
fn places<'a, E: Float>(
    x: &'a [E],
    dims: &'a Pool2dDims,
) -> impl Iterator<Item = Option<usize>> + 'a {
    let [height, width] = dims.out_size();
    (0..height).flat_map(move |oy| (0..width).map(move |ox| place_of_maximum(x, dims, oy, ox)))
}

pub(super) fn max_pool2d<E: Float>(run: &CpuRun<'_, E>, y: Span, x: Span, dims: Pool2dDims) {
    let (outs, ins) = (dims.out_size().iter().product::<usize>(), dims.height * dims.width);
    sized(y, dims.planes * outs);
    sized(x, dims.planes * ins);
    disjoint(y, x);
    let (y, x) = (run.write(y), run.read(x));
    if is_halving(&dims) {
        for_each_task(run, &dims, |planes| {
            let (x, y) = (
                x.get().wrapping_add(planes.start * ins),
                y.get().wrapping_add(planes.start * outs),
            );
            let planes = Planes { count: planes.len(), size: [dims.height, dims.width] };
            // SAFETY: the spans hold all planes, and each plane belongs to one task.
            unsafe { E::Loops::halve(Halve { x, y, planes }) };
        });
        return;
    }
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (y, x) = unsafe {
            (
                std::slice::from_raw_parts_mut(y.get().add(plane * outs), outs),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
            )
        };
        for (y, place) in y.iter_mut().zip(places(x, &dims)) {
            *y = place.map_or(E::NEG_INFINITY, |place| x[place]);
        }
    });
}

pub(super) fn scatter<E: Float>(
    run: &CpuRun<'_, E>,
    dx: Span,
    x: Span,
    dy: Span,
    dims: Pool2dDims,
) {
    let (outs, ins) = (dims.out_size().iter().product::<usize>(), dims.height * dims.width);
    sized(dx, dims.planes * ins);
    sized(x, dims.planes * ins);
    sized(dy, dims.planes * outs);
    disjoint(dx, x);
    disjoint(dx, dy);
    let (dx, x, dy) = (run.write(dx), run.read(x), run.read(dy));
    if is_halving(&dims) {
        for_each_task(run, &dims, |planes| {
            let [dx, x] = [dx, x].map(|p| p.get().wrapping_add(planes.start * ins));
            let dy = dy.get().wrapping_add(planes.start * outs);
            let planes = Planes { count: planes.len(), size: [dims.height, dims.width] };
            // SAFETY: the spans hold all planes, and each plane belongs to one task.
            unsafe { E::Loops::scatter_halves(ScatterHalves { x, dy, dx, planes }) };
        });
        return;
    }
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (dx, x, dy) = unsafe {
            (
                std::slice::from_raw_parts_mut(dx.get().add(plane * ins), ins),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
                std::slice::from_raw_parts(dy.get().add(plane * outs), outs),
            )
        };
        dx.fill(E::ZERO);
        for (&dy, place) in dy.iter().zip(places(x, &dims)) {
            if let Some(place) = place {
                dx[place] = dx[place] + dy;
            }
        }
    });
}

pub(super) fn gather<E: Float>(run: &CpuRun<'_, E>, y: Span, x: Span, g: Span, dims: Pool2dDims) {
    let (outs, ins) = (dims.out_size().iter().product::<usize>(), dims.height * dims.width);
    sized(y, dims.planes * outs);
    sized(x, dims.planes * ins);
    sized(g, dims.planes * ins);
    disjoint(y, x);
    disjoint(y, g);
    let (y, x, g) = (run.write(y), run.read(x), run.read(g));
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (y, x, g) = unsafe {
            (
                std::slice::from_raw_parts_mut(y.get().add(plane * outs), outs),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
                std::slice::from_raw_parts(g.get().add(plane * ins), ins),
            )
        };
        for (y, place) in y.iter_mut().zip(places(x, &dims)) {
            *y = place.map_or(E::ZERO, |place| g[place]);
        }
    });
}

/// The points of a window, padding included.
fn points<E: Float>(dims: &Pool2dDims) -> E {
    E::from_usize(dims.kernel[0] * dims.kernel[1])
}

pub(super) fn avg_pool2d<E: Float>(run: &CpuRun<'_, E>, y: Span, x: Span, dims: Pool2dDims) {
    let ([height, width], ins) = (dims.out_size(), dims.height * dims.width);
    let outs = height * width;
    sized(y, dims.planes * outs);
    sized(x, dims.planes * ins);
    disjoint(y, x);
    let (y, x) = (run.write(y), run.read(x));
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (y, x) = unsafe {
            (
                std::slice::from_raw_parts_mut(y.get().add(plane * outs), outs),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
            )
        };
        for (i, y) in y.iter_mut().enumerate() {
            let window = places_of_window(&dims, i / width, i % width);
            let sum = window.fold(E::ZERO, |sum, place| sum + x[place]);
            *y = sum / points(&dims);
        }
    });
}

pub(super) fn spread<E: Float>(run: &CpuRun<'_, E>, dx: Span, dy: Span, dims: Pool2dDims) {
    let ([height, width], ins) = (dims.out_size(), dims.height * dims.width);
    let outs = height * width;
    sized(dx, dims.planes * ins);
    sized(dy, dims.planes * outs);
    disjoint(dx, dy);
    let (dx, dy) = (run.write(dx), run.read(dy));
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (dx, dy) = unsafe {
            (
                std::slice::from_raw_parts_mut(dx.get().add(plane * ins), ins),
                std::slice::from_raw_parts(dy.get().add(plane * outs), outs),
            )
        };
        dx.fill(E::ZERO);
        for (i, &dy) in dy.iter().enumerate() {
            let share = dy / points(&dims);
            for place in places_of_window(&dims, i / width, i % width) {
                dx[place] = dx[place] + share;
            }
        }
    });
}
