//! The gradients of a convolution.
//!
//! With respect to the input: the convolution of dy, its points set apart by the stride, with the
//! flipped kernel. With respect to the weight: products of shifted x and dy, summed along the points; with channels of
//! dy along the vectors where there are many, else as dot products of several samples at once.

use super::InnerLoops;
use super::channels::{AddWeights, PackPanels, UnpackPanels, panels};
use super::conv::{correlate, lens};
use super::correlation::Correlation;
use super::dot::{Dots, Rows};
use super::frame::{Frame, points_of_kernel};
use super::tile::WIDTH;
use super::{TASK_PRODUCTS, units_per_task};
use crate::cpu::run::{CpuRun, Ptr, disjoint, sized};
use crate::cpu::scratch::{self, lines};
use crate::device::{Conv2dDims, Span};
use crate::element::Float;

pub(super) fn input<E: Float>(run: &CpuRun<'_, E>, dx: Span, dy: Span, w: Span, dims: Conv2dDims) {
    let [dx_len, w_len, dy_len] = lens(&dims);
    sized(dx, dx_len);
    sized(dy, dy_len);
    sized(w, w_len);
    disjoint(dx, dy);
    disjoint(dx, w);
    let (dx, dy, w) = (run.write(dx), run.read(dy), run.read(w));
    if dx_len == 0 || dy_len == 0 {
        // SAFETY: the span holds `dx_len` elements.
        (0..dx_len).for_each(|i| unsafe { dx.get().add(i).write(E::ZERO) });
        return;
    }
    let correlation = Correlation::backward(&dims);
    let rows = dims.in_channels / dims.groups;
    scratch::with(lines::<E>(w_len), |mut scratch| {
        let flipped = scratch.take::<E>(w_len);
        // SAFETY: the span holds `w_len` elements.
        flip(unsafe { std::slice::from_raw_parts(w.get(), w_len) }, flipped, &dims);
        let flipped = Ptr(flipped.as_mut_ptr());
        // SAFETY: the spans hold all samples, and the weights are all there.
        unsafe { correlate(run, &dims, &correlation, rows, dy, flipped, Some(dx), &|_, _, _| ()) };
    });
}

/// The weights [groups, out, in, kernel] as [groups, in, out, kernel backwards].
fn flip<E: Float>(w: &[E], flipped: &mut [E], d: &Conv2dDims) {
    let (outs, ins) = (d.out_channels / d.groups, d.in_channels / d.groups);
    let taps = d.kernel[0] * d.kernel[1];
    for (i, from) in w.chunks_exact(taps).enumerate() {
        let (group, o, c) = (i / (outs * ins), i / ins % outs, i % ins);
        let to = &mut flipped[((group * ins + c) * outs + o) * taps..][..taps];
        for (to, &from) in to.iter_mut().zip(from.iter().rev()) {
            *to = from;
        }
    }
}

/// The most parts of the batch that are summed up apart.
const MAX_PARTS: usize = 16;
/// Points that a dot product should have: it costs as much as some more to add up the lanes.
const POINTS: usize = 1024;

pub(super) fn weight<E: Float>(run: &CpuRun<'_, E>, dw: Span, x: Span, dy: Span, dims: Conv2dDims) {
    let [x_len, w_len, dy_len] = lens(&dims);
    sized(dw, w_len);
    sized(x, x_len);
    sized(dy, dy_len);
    disjoint(dw, x);
    disjoint(dw, dy);
    let (dw, x, dy) = (run.write(dw), run.read(x), run.read(dy));
    // SAFETY: the span holds `w_len` elements, and no other slice of them exists.
    let dw = unsafe { std::slice::from_raw_parts_mut(dw.get(), w_len) };
    if x_len == 0 || dy_len == 0 || w_len == 0 {
        dw.fill(E::ZERO);
        return;
    }
    let sums = Sums::of(&dims);
    let work = w_len * dims.out_size().iter().product::<usize>() * dims.batch;
    let per_part =
        units_per_task(dims.batch, work, TASK_PRODUCTS).max(dims.batch.div_ceil(MAX_PARTS));
    let parts = dims.batch.div_ceil(per_part);
    let len = sums.len(w_len);
    scratch::with(lines::<E>(parts * len), |mut scratch| {
        let all = scratch.take::<E>(parts * len);
        let first = Ptr(all.as_mut_ptr());
        run.pool.run(parts, |part| {
            // SAFETY: each part has a piece of the sums of its own, and the spans hold all samples.
            unsafe {
                let place = first.get().add(part * len);
                let sum = std::slice::from_raw_parts_mut(place, len);
                sum.fill(E::ZERO);
                let samples = part * per_part..((part + 1) * per_part).min(dims.batch);
                sums.add_samples(sum, x.get(), dy.get(), samples);
            }
        });
        let (total, others) = all.split_at_mut(len);
        for part in others.chunks_exact(len) {
            for (total, &x) in total.iter_mut().zip(part) {
                *total = *total + x;
            }
        }
        sums.store(total, dw);
    });
}

/// The way in which the gradient with respect to the weights is summed up.
enum Sums {
    Dots(Shifted),
    Channels(Conv2dDims, Correlation),
}

/// The channels of dy from which they run along the vectors.
const MANY: usize = 12;

impl Sums {
    fn of(dims: &Conv2dDims) -> Self {
        if dims.out_channels / dims.groups < MANY {
            return Sums::Dots(Shifted::new(dims));
        }
        Sums::Channels(*dims, Correlation::forward(dims))
    }

    /// The elements of a sum of `w_len` weights.
    fn len(&self, w_len: usize) -> usize {
        match self {
            Sums::Dots(_) => w_len,
            Sums::Channels(d, c) => d.groups * panels(d.out_channels / d.groups) * c.k() * WIDTH,
        }
    }

    /// Adds the gradient of some samples to `sum`.
    ///
    /// # Safety
    /// `x` and `dy` must be good for the whole batch.
    unsafe fn add_samples<E: Float>(
        &self,
        sum: &mut [E],
        x: *const E,
        dy: *const E,
        samples: std::ops::Range<usize>,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Sums::Dots(shifted) => shifted.add_samples(sum, x, dy, samples),
                Sums::Channels(dims, c) => add_channels(dims, c, sum, x, dy, samples),
            }
        }
    }

    /// Stores what has been summed up.
    fn store<E: Float>(&self, sum: &[E], dw: &mut [E]) {
        let Sums::Channels(d, c) = self else {
            dw.copy_from_slice(sum);
            return;
        };
        let (outs, k) = (d.out_channels / d.groups, c.k());
        let groups = sum.chunks_exact(panels(outs) * k * WIDTH);
        for (dw, sum) in dw.chunks_exact_mut(outs * k).zip(groups) {
            let (panels, to) = (sum.as_ptr(), dw.as_mut_ptr());
            // SAFETY: the slices have these sizes.
            unsafe { E::Loops::unpack_panels(UnpackPanels { panels, cols: outs, k, to, row: k }) };
        }
    }
}

/// Adds the gradient of some samples to `sum`, panels [k, [`WIDTH`]] of each group's channels.
///
/// # Safety
/// `x` and `dy` must be good for the whole batch.
unsafe fn add_channels<E: Float>(
    d: &Conv2dDims,
    c: &Correlation,
    sum: &mut [E],
    x: *const E,
    dy: *const E,
    samples: std::ops::Range<usize>,
) {
    let (outs, k, points) = (d.out_channels / d.groups, c.k(), c.points());
    let lens = [c.channels * c.frame.len(), panels(outs) * points * WIDTH];
    let needed = lens.map(lines::<E>).iter().sum::<usize>() + lines::<usize>(k);
    scratch::with(needed, |mut scratch| {
        let [frames, packed] = lens.map(|len| scratch.take::<E>(len));
        let offsets = scratch.take_offsets(k);
        c.places(offsets);
        let image = c.channels * d.height * d.width;
        for unit in samples.start * d.groups..samples.end * d.groups {
            let place = unit % d.groups * panels(outs) * k * WIDTH;
            // SAFETY: the caller's promise; the pieces of memory have the sizes of this correlation.
            unsafe {
                c.fill(x.add(unit * image), frames);
                E::Loops::pack_panels(PackPanels {
                    from: dy.add(unit * outs * points),
                    row: points,
                    cols: outs,
                    k: points,
                    panels: packed.as_mut_ptr(),
                });
                E::Loops::add_weights(AddWeights {
                    correlation: *c,
                    frames: frames.as_ptr(),
                    offsets: offsets.as_ptr(),
                    dy: packed.as_ptr(),
                    outs,
                    sums: sum[place..].as_mut_ptr(),
                });
            }
        }
    });
}

/// How dot products along the points of several samples are laid out: for each channel the samples'
/// planes one after another.
struct Shifted {
    dims: Conv2dDims,
    correlation: Correlation,
    /// dy with its rows as far apart as those of the frame.
    dy_frame: Frame,
    /// The elements of one sample's plane.
    plane: usize,
    /// The samples of one dot product.
    samples: usize,
}

impl Shifted {
    fn new(dims: &Conv2dDims) -> Self {
        let correlation = Correlation::forward(dims);
        let out = dims.out_size();
        let size = if correlation.is_dense() { correlation.frame.size } else { out };
        let dy_frame = Frame { image: out, size, first: [0, 0], step: [1, 1] };
        let plane = dy_frame.len();
        let samples = POINTS.div_ceil(plane).min(dims.batch).max(1);
        Shifted { dims: *dims, correlation, dy_frame, plane, samples }
    }

    /// Adds the gradient of some samples to `sum`.
    ///
    /// # Safety
    /// `x` and `dy` must be good for the whole batch.
    unsafe fn add_samples<E: Float>(
        &self,
        sum: &mut [E],
        x: *const E,
        dy: *const E,
        samples: std::ops::Range<usize>,
    ) {
        let d = &self.dims;
        let (outs, k) = (d.out_channels / d.groups, self.correlation.k());
        let pitch = self.samples * self.plane;
        let rows_of_x = if self.correlation.is_dense() { self.correlation.channels } else { k };
        let single = if self.correlation.is_dense() {
            0
        } else {
            self.correlation.channels * self.correlation.frame.len()
        };
        let lens = [rows_of_x * pitch, outs * pitch, single];
        let needed = lens.map(lines::<E>).iter().sum::<usize>() + lines::<usize>(k);
        scratch::with(needed, |mut scratch| {
            let [x_rows, dy_rows, frames] = lens.map(|len| scratch.take::<E>(len));
            let offsets = scratch.take_offsets(k);
            self.offsets(offsets, pitch);
            for first in samples.clone().step_by(self.samples) {
                let count = self.samples.min(samples.end - first);
                for group in 0..d.groups {
                    for s in 0..count {
                        let unit = (first + s) * d.groups + group;
                        // SAFETY: the caller's promise; the rows have a plane for each sample.
                        unsafe {
                            self.lay_out_x(x, unit, &mut x_rows[s * self.plane..], pitch, frames);
                            self.lay_out_dy(dy, unit, &mut dy_rows[s * self.plane..], pitch);
                        }
                    }
                    let points = self.dy_frame.size[1] * (self.dy_frame.image[0] - 1)
                        + self.dy_frame.image[1];
                    // SAFETY: the rows and the group's part of the sum have these sizes.
                    unsafe {
                        E::Loops::dots(Dots {
                            a: dy_rows.as_ptr(),
                            a_row: pitch,
                            b: x_rows.as_ptr(),
                            rows_of_b: Rows::At(offsets.as_ptr()),
                            c: sum[group * outs * k..].as_mut_ptr(),
                            c_row: k,
                            rows: outs,
                            cols: k,
                            k: (count - 1) * self.plane + points,
                            add: true,
                        });
                    }
                }
            }
        });
    }

    /// Where the row of x for each channel and point of the kernel begins.
    fn offsets(&self, offsets: &mut [usize], pitch: usize) {
        if !self.correlation.is_dense() {
            offsets.iter_mut().enumerate().for_each(|(i, offset)| *offset = i * pitch);
            return;
        }
        self.correlation.offsets(offsets);
        let taps = self.correlation.kernel[0] * self.correlation.kernel[1];
        for (i, offset) in offsets.iter_mut().enumerate() {
            *offset += i / taps * (pitch - self.plane);
        }
    }

    /// Lays out the channels of x of one sample and group, or the points that the kernel meets.
    ///
    /// # Safety
    /// `x` must be good for the whole batch.
    unsafe fn lay_out_x<E: Float>(
        &self,
        x: *const E,
        unit: usize,
        rows: &mut [E],
        pitch: usize,
        frames: &mut [E],
    ) {
        let Correlation { channels, frame, kernel, dilation, stride, out, .. } = self.correlation;
        let dense = self.correlation.is_dense();
        let image = frame.image[0] * frame.image[1];
        for c in 0..channels {
            let x = x.wrapping_add((unit * channels + c) * image);
            let target = if dense {
                rows[c * pitch..][..self.plane].as_mut_ptr()
            } else {
                frames[c * frame.len()..][..frame.len()].as_mut_ptr()
            };
            // SAFETY: the caller's promise; `target` is a frame.
            unsafe { frame.fill(x, target) };
        }
        if !dense {
            let (frames, rows) = (frames.as_ptr(), rows.as_mut_ptr());
            // SAFETY: the frames are filled, and `rows` has a plane in each row.
            unsafe {
                points_of_kernel(
                    frames, &frame, channels, kernel, dilation, stride, out, rows, pitch,
                );
            }
        }
    }

    /// Lays out the channels of dy of one sample and group.
    ///
    /// # Safety
    /// `dy` must be good for the whole batch.
    unsafe fn lay_out_dy<E: Float>(&self, dy: *const E, unit: usize, rows: &mut [E], pitch: usize) {
        let outs = self.dims.out_channels / self.dims.groups;
        let points = self.dy_frame.image[0] * self.dy_frame.image[1];
        for o in 0..outs {
            let dy = dy.wrapping_add((unit * outs + o) * points);
            let target = rows[o * pitch..][..self.plane].as_mut_ptr();
            // SAFETY: the caller's promise; `target` is a frame.
            unsafe { self.dy_frame.fill(dy, target) };
        }
    }
}
