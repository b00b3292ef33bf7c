//! Convolution: a product of the weights with the image, shifted to each point of the kernel.

use super::frame::{Frame, copy, points_of_kernel};
use super::inputs::Inputs;
use super::map::{finish, place_of_sums};
use super::multiply::Products;
use super::tile::{Product, WIDTH};
use super::{TASK_PRODUCTS, units_per_task};
use crate::cpu::run::{CpuRun, disjoint, separate, sized};
use crate::cpu::scratch::{self, Scratch, lines};
use crate::device::{Arg, Conv2dDims, Span};
use crate::element::Float;

/// The product that a convolution is, for one group of one sample: weights [rows, k] times the image
/// [k, points], where k runs over the channels and the kernel.
#[derive(Clone, Copy)]
pub(super) struct Correlation {
    /// Channels of the image.
    pub channels: usize,
    /// The image in a frame that every point of the kernel stays in.
    pub frame: Frame,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Height and width of the result.
    pub out: [usize; 2],
}

/// Scratch memory of a [`Correlation`].
pub(super) struct Room<'a, E> {
    frames: &'a mut [E],
    matrix: &'a mut [E],
    sums: &'a mut [E],
    offsets: &'a mut [usize],
}

impl Correlation {
    /// The forward pass of a convolution.
    pub fn forward(d: &Conv2dDims) -> Self {
        let axis = |axis: usize, size: usize| size + 2 * d.padding[axis];
        Correlation {
            channels: d.in_channels / d.groups,
            frame: Frame {
                image: [d.height, d.width],
                size: [axis(0, d.height), axis(1, d.width)],
                first: [d.padding[0] as isize, d.padding[1] as isize],
                step: [1, 1],
            },
            kernel: d.kernel,
            stride: d.stride,
            dilation: d.dilation,
            out: d.out_size(),
        }
    }

    /// The size that is summed over.
    pub fn k(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// The points of the result.
    pub fn points(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Whether the frame itself serves as the matrix.
    pub fn is_dense(&self) -> bool {
        self.stride == [1, 1]
    }

    /// The distance of rows of the result, as the product computes them.
    fn pitch(&self) -> usize {
        if self.is_dense() { self.frame.size[1] } else { self.out[1] }
    }

    /// The columns of the product: the result's points, and those of the margin between its rows.
    fn cols(&self) -> usize {
        (self.out[0] - 1) * self.pitch() + self.out[1]
    }

    /// The distance of rows of the matrix, for strides over 1.
    fn matrix_row(&self) -> usize {
        self.points().next_multiple_of(WIDTH)
    }

    fn lens(&self, rows: usize, apart: bool) -> [usize; 3] {
        let frames = self.channels * self.frame.len() + WIDTH;
        let matrix = if self.is_dense() { 0 } else { self.k() * self.matrix_row() };
        let sums = if apart || self.pitch() != self.out[1] { rows * self.cols() } else { 0 };
        [frames, matrix, sums]
    }

    /// The scratch memory for results of `rows` channels. `apart`: the sums have no place in the result.
    pub fn lines<E>(&self, rows: usize, apart: bool) -> usize {
        let lens = self.lens(rows, apart);
        lens.map(lines::<E>).iter().sum::<usize>() + lines::<usize>(self.k())
    }

    pub fn room<'a, E: Float>(
        &self,
        rows: usize,
        apart: bool,
        scratch: &mut Scratch<'a>,
    ) -> Room<'a, E> {
        let [frames, matrix, sums] = self.lens(rows, apart).map(|len| scratch.take(len));
        // What a product reads beyond the last frame is thrown away, but should be numbers.
        let end = frames.len() - WIDTH;
        frames[end..].fill(E::ZERO);
        let offsets = scratch.take_offsets(self.k());
        self.offsets(offsets);
        Room { frames, matrix, sums, offsets }
    }

    /// Where the row of the image for each channel and point of the kernel begins.
    pub fn offsets(&self, offsets: &mut [usize]) {
        let [kh, kw] = self.kernel;
        let [dh, dw] = self.dilation;
        let points = (0..self.channels)
            .flat_map(|c| (0..kh).flat_map(move |ky| (0..kw).map(move |kx| (c, ky, kx))));
        for (i, (offset, (c, ky, kx))) in offsets.iter_mut().zip(points).enumerate() {
            *offset = if self.is_dense() {
                c * self.frame.len() + ky * dh * self.frame.size[1] + kx * dw
            } else {
                i * self.matrix_row()
            };
        }
    }

    /// The sums of a group: `weight` [rows, k] times `image` [channels, height, width]. They go to `out`
    /// [rows, points] or, where there is none, to scratch memory; the result points to them.
    ///
    /// # Safety
    /// The pointers must be good for these sizes; nobody else may use `out`.
    pub unsafe fn compute<E: Float>(
        &self,
        image: *const E,
        weight: *const E,
        rows: usize,
        out: Option<*mut E>,
        room: &mut Room<'_, E>,
    ) -> *const E {
        let image_len = self.frame.image[0] * self.frame.image[1];
        for c in 0..self.channels {
            let frame = room.frames[c * self.frame.len()..][..self.frame.len()].as_mut_ptr();
            // SAFETY: the caller's promise; the slice is a frame.
            unsafe { self.frame.fill(image.add(c * image_len), frame) };
        }
        let frames = room.frames.as_ptr();
        let mut b = frames;
        if !self.is_dense() {
            let (matrix, pitch) = (room.matrix.as_mut_ptr(), self.matrix_row());
            // SAFETY: `room` has the sizes of this correlation.
            unsafe {
                points_of_kernel(
                    frames,
                    &self.frame,
                    self.channels,
                    self.kernel,
                    self.dilation,
                    self.stride,
                    self.out,
                    matrix,
                    pitch,
                );
            }
            b = matrix;
        }
        let narrow = self.pitch() != self.out[1];
        let c = out.filter(|_| !narrow).unwrap_or(room.sums.as_mut_ptr());
        let cols = self.cols();
        // SAFETY: the caller's promise; beyond the last frame there is room for whole vectors.
        unsafe {
            E::Loops::product(Product {
                a: weight,
                a_row: self.k(),
                a_k: 1,
                b,
                offsets: Some(room.offsets.as_ptr()),
                c,
                c_row: cols,
                rows,
                cols,
                k: self.k(),
                add: false,
            });
        }
        let Some(out) = out else {
            if narrow {
                self.close_up(room.sums, rows);
            }
            return room.sums.as_ptr();
        };
        if narrow {
            // SAFETY: the caller's promise.
            let out = unsafe { std::slice::from_raw_parts_mut(out, rows * self.points()) };
            self.copy_points(room.sums, out);
        }
        out
    }

    /// Removes the margin between the rows of the result, in place.
    fn close_up<E: Float>(&self, sums: &mut [E], rows: usize) {
        for row in 0..rows {
            for oy in 0..self.out[0] {
                let from = row * self.cols() + oy * self.pitch();
                let to = row * self.points() + oy * self.out[1];
                sums.copy_within(from..from + self.out[1], to);
            }
        }
    }

    /// Copies the sums without the margin between the rows of the result.
    fn copy_points<E: Float>(&self, sums: &[E], out: &mut [E]) {
        let width = self.out[1];
        let images = out.chunks_exact_mut(self.points()).zip(sums.chunks_exact(self.cols()));
        for (out, sums) in images {
            for (out, sums) in out.chunks_exact_mut(width).zip(sums.chunks(self.pitch())) {
                copy(&sums[..width], out);
            }
        }
    }
}

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

/// Output channels of one group that are computed together; fewer only where there are too few samples
/// to share the work.
pub(super) fn channels_per_task(samples: usize, rows: usize, work: usize) -> usize {
    if samples >= 8 || work < 2 * TASK_PRODUCTS {
        return rows;
    }
    8 * units_per_task(rows.div_ceil(8), work, TASK_PRODUCTS)
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
    let apart = place.is_none();
    let correlation = Correlation::forward(&dims);
    let (k, points) = (correlation.k(), correlation.points());
    let rows = dims.out_channels / dims.groups;
    let image = correlation.channels * dims.height * dims.width;
    for_each_block(
        run,
        &dims,
        &correlation,
        rows,
        |block, scratch| {
            let mut room = correlation.room(block.rows, apart, scratch);
            for unit in block.units.clone() {
                let channel = unit % dims.groups * rows + block.row;
                let start = (unit / dims.groups * dims.out_channels + channel) * points;
                let x = x.get().cast_const().wrapping_add(unit * image);
                let weight = w.get().cast_const().wrapping_add(channel * k);
                let out = place.map(|place| place.get().wrapping_add(start));
                let end = start + block.rows * points;
                // SAFETY: the spans hold all samples, and the blocks of the tasks do not overlap.
                unsafe {
                    let sums = correlation.compute(x, weight, block.rows, out, &mut room);
                    finish(sums, targets, start, end, &inputs, consts, epilogue);
                }
            }
        },
        apart,
    );
}

/// The part of a convolution that one task computes: rows of the weights for some groups of samples.
pub(super) struct Block {
    /// `sample * groups + group`.
    pub units: std::ops::Range<usize>,
    pub row: usize,
    pub rows: usize,
}

/// Cuts a convolution whose weights have `rows` rows a group, and calls `task` for each block with scratch
/// memory for it.
pub(super) fn for_each_block<E: Float>(
    run: &CpuRun<'_, E>,
    dims: &Conv2dDims,
    correlation: &Correlation,
    rows: usize,
    task: impl Fn(Block, &mut Scratch<'_>) + Sync,
    apart: bool,
) {
    let units = dims.batch * dims.groups;
    let work = rows * correlation.k() * correlation.points();
    let height = channels_per_task(units, rows, work);
    let strips = rows.div_ceil(height).max(1);
    let per_task = if work * units < 2 * TASK_PRODUCTS {
        units.max(1)
    } else {
        units_per_task(units, work * units, TASK_PRODUCTS)
    };
    run.pool.run(units.div_ceil(per_task) * strips, |i| {
        let (first, row) = (i / strips * per_task, i % strips * height);
        let rows = height.min(rows - row);
        let block = Block { units: first..(first + per_task).min(units), row, rows };
        let lines = correlation.lines::<E>(rows, apart);
        scratch::with(lines, |mut scratch| task(block, &mut scratch));
    });
}
