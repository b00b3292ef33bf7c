//! The maximum of windows, as in PyTorch: the first of equal values, and not-a-number before all; and their
//! mean, in which the padding counts.

use super::{TASK_ELEMENTS, units_per_task};
use crate::cpu::run::{CpuRun, disjoint, sized};
use crate::cpu::simd::{for_each_level, level};
use crate::device::{Pool2dDims, Span};
use crate::element::Float;

/// Whether windows are two by two, side by side: the usual case, which is vectorised.
fn is_halving(dims: &Pool2dDims) -> bool {
    dims.kernel == [2, 2] && dims.stride == [2, 2] && dims.padding == [0, 0]
}

/// Calls `plane(i)` for every plane.
fn for_each_plane<E>(run: &CpuRun<'_, E>, dims: &Pool2dDims, plane: impl Fn(usize) + Sync) {
    let total = dims.planes * dims.height * dims.width;
    if total < 2 * TASK_ELEMENTS {
        (0..dims.planes).for_each(plane);
        return;
    }
    let per_task = units_per_task(dims.planes, total, TASK_ELEMENTS);
    run.pool.run(dims.planes.div_ceil(per_task), |task| {
        (task * per_task..((task + 1) * per_task).min(dims.planes)).for_each(&plane);
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
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (y, x) = unsafe {
            (
                std::slice::from_raw_parts_mut(y.get().add(plane * outs), outs),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
            )
        };
        if is_halving(&dims) {
            for_each_level!(level(), [E: Float] [E], halve, (y: &mut [E], x: &[E], dims: Pool2dDims));
            return;
        }
        for (y, place) in y.iter_mut().zip(places(x, &dims)) {
            *y = place.map_or(E::NEG_INFINITY, |place| x[place]);
        }
    });
}

#[inline(always)]
fn halve<E: Float>(y: &mut [E], x: &[E], dims: Pool2dDims) {
    let (width, out_width) = (dims.width, dims.width / 2);
    if out_width == 0 {
        return;
    }
    let larger = |best: E, x: E| if wins(x, best) { x } else { best };
    for (y, rows) in y.chunks_exact_mut(out_width).zip(x.chunks_exact(2 * width)) {
        let (top, bottom) = rows.split_at(width);
        let pairs = top.as_chunks::<2>().0.iter().zip(bottom.as_chunks::<2>().0);
        for (y, (top, bottom)) in y.iter_mut().zip(pairs) {
            *y = larger(larger(larger(top[0], top[1]), bottom[0]), bottom[1]);
        }
    }
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
    for_each_plane(run, &dims, |plane| {
        // SAFETY: the spans hold all planes, and each plane belongs to one task.
        let (dx, x, dy) = unsafe {
            (
                std::slice::from_raw_parts_mut(dx.get().add(plane * ins), ins),
                std::slice::from_raw_parts(x.get().add(plane * ins), ins),
                std::slice::from_raw_parts(dy.get().add(plane * outs), outs),
            )
        };
        if is_halving(&dims) {
            for_each_level!(level(), [E: Float] [E], scatter_halves, (
                dx: &mut [E], x: &[E], dy: &[E], dims: Pool2dDims,
            ));
            return;
        }
        dx.fill(E::ZERO);
        for (&dy, place) in dy.iter().zip(places(x, &dims)) {
            if let Some(place) = place {
                dx[place] = dx[place] + dy;
            }
        }
    });
}

#[inline(always)]
fn scatter_halves<E: Float>(dx: &mut [E], x: &[E], dy: &[E], dims: Pool2dDims) {
    let (width, out_width) = (dims.width, dims.width / 2);
    let covered = dims.height / 2 * 2 * width;
    if out_width == 0 {
        dx.fill(E::ZERO);
        return;
    }
    dx[covered..].fill(E::ZERO);
    let rows = dx.chunks_exact_mut(2 * width).zip(x.chunks_exact(2 * width));
    for ((dx, x), dy) in rows.zip(dy.chunks_exact(out_width)) {
        let (dx_top, dx_bottom) = dx.split_at_mut(width);
        let (top, bottom) = x.split_at(width);
        if width % 2 == 1 {
            dx_top[width - 1] = E::ZERO;
            dx_bottom[width - 1] = E::ZERO;
        }
        let (top, bottom) = (top.as_chunks::<2>().0, bottom.as_chunks::<2>().0);
        let outs = dx_top.as_chunks_mut::<2>().0.iter_mut().zip(dx_bottom.as_chunks_mut::<2>().0);
        for ((dx, dy), (top, bottom)) in outs.zip(dy).zip(top.iter().zip(bottom)) {
            // The gradient goes to the last one that wins: without a branch.
            let second = wins(top[1], top[0]);
            let best = if second { top[1] } else { top[0] };
            let third = wins(bottom[0], best);
            let best = if third { bottom[0] } else { best };
            let fourth = wins(bottom[1], best);
            let take = |wins: bool, left: E| {
                if wins { (left, E::ZERO) } else { (E::ZERO, left) }
            };
            let (to_fourth, left) = take(fourth, *dy);
            let (to_third, left) = take(third, left);
            let (to_second, to_first) = take(second, left);
            *dx.0 = [to_first, to_second];
            *dx.1 = [to_third, to_fourth];
        }
    }
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
