//! What a convolution of one sample computes: a product of the weights with the image, shifted to each point of the kernel.

mod estimate;

use std::ops::Range;

use super::InnerLoops;
use super::channels::Correlate;
use super::frame::{Frame, copy, points_of_kernel};
use super::image_rows::CorrelateRows;
use super::tile::{Product, WIDTH};
use crate::cpu::scratch::{Scratch, lines};
use crate::device::Conv2dDims;
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

/// What runs along the vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// The points of the result, all rows of it as one; the weights are [rows, k].
    Points,
    /// The points of each row of the result; the weights are [rows, k] (image_rows.rs).
    Rows,
    /// The channels of the result; the weights are in panels [k, [`WIDTH`]] (channels.rs).
    Channels,
}

/// A point of the kernel: where its number lies in a frame, from the place of the result's point, and its weight among
/// those of a channel.
pub(super) type Tap = [usize; 2];

/// Scratch memory of a [`Correlation`].
pub(super) struct Room<'a, E> {
    frames: &'a mut [E],
    matrix: &'a mut [E],
    panel: &'a mut [E],
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

    /// What computes dx from dy.
    pub fn backward(d: &Conv2dDims) -> Self {
        let reach = |axis: usize| d.dilation[axis] * (d.kernel[axis] - 1);
        let first = |axis: usize| reach(axis) as isize - d.padding[axis] as isize;
        Correlation {
            channels: d.out_channels / d.groups,
            frame: Frame {
                image: d.out_size(),
                size: [d.height + reach(0), d.width + reach(1)],
                first: [first(0), first(1)],
                step: d.stride,
            },
            kernel: d.kernel,
            stride: [1, 1],
            dilation: d.dilation,
            out: [d.height, d.width],
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

    fn lens(&self, way: Way, rows: usize, apart: bool) -> [usize; 4] {
        let sums = if apart { rows * self.points() } else { 0 };
        let frames = self.channels * self.frame.len();
        match way {
            Way::Channels => [frames, 0, self.points() * WIDTH, sums],
            Way::Rows => [frames + WIDTH, 0, 0, sums],
            Way::Points => {
                let matrix = if self.is_dense() { 0 } else { self.k() * self.matrix_row() };
                let narrow = self.pitch() != self.out[1];
                [frames + WIDTH, matrix, 0, if narrow { rows * self.cols() } else { sums }]
            }
        }
    }

    /// The entries of a table.
    fn entries(&self, way: Way) -> usize {
        match way {
            Way::Points => self.k(),
            Way::Channels | Way::Rows => 2 * self.kernel[0] * self.kernel[1],
        }
    }

    /// The scratch memory for results of `rows` channels. `apart`: the sums have no place in the result.
    pub fn lines<E>(&self, way: Way, rows: usize, apart: bool) -> usize {
        let lens = self.lens(way, rows, apart);
        lens.map(lines::<E>).iter().sum::<usize>() + lines::<usize>(self.entries(way))
    }

    pub fn room<'a, E: Float>(
        &self,
        way: Way,
        rows: usize,
        apart: bool,
        scratch: &mut Scratch<'a>,
    ) -> Room<'a, E> {
        let [frames, matrix, panel, sums] =
            self.lens(way, rows, apart).map(|len| scratch.take(len));
        let offsets = scratch.take_offsets(self.entries(way));
        if way != Way::Channels {
            // What a product reads beyond the last frame is thrown away, but should be numbers.
            let end = frames.len() - WIDTH;
            frames[end..].fill(E::ZERO);
        }
        if way == Way::Points {
            self.offsets(offsets);
        }
        Room { frames, matrix, panel, sums, offsets }
    }

    /// Where the point of the result at (oy, ox) meets the first point of the kernel, in a frame.
    pub fn place(&self, oy: usize, ox: usize) -> usize {
        oy * self.stride[0] * self.frame.size[1] + ox * self.stride[1]
    }

    /// Where a point of the kernel lies, for a place of the result, from the image's first point, along an axis of the frame.
    fn in_image(&self, axis: usize, o: usize, tap: usize) -> isize {
        (o * self.stride[axis] + tap * self.dilation[axis]) as isize - self.frame.first[axis]
    }

    /// The rows of the kernel that meet the image for one of some rows of the result.
    fn rows_met(&self, lines: Range<usize>) -> impl Iterator<Item = usize> {
        let (height, apart) = (self.frame.image[0] as isize, self.frame.step[0] as isize);
        (0..self.kernel[0]).filter(move |&ky| {
            lines.clone().any(|oy| {
                let y = self.in_image(0, oy, ky);
                y >= 0 && y % apart == 0 && y / apart < height
            })
        })
    }

    /// The columns of the kernel that meet a number of the image, and not the zeros between them, for the point of the result
    /// at `ox` and those at a multiple of the distance of the image's points from it.
    fn columns_met(&self, ox: usize) -> impl Iterator<Item = usize> {
        let apart = self.frame.step[1] as isize;
        (0..self.kernel[1]).filter(move |&kx| self.in_image(1, ox, kx).rem_euclid(apart) == 0)
    }

    /// Lists the points of the kernel at which one of some rows of the result meets the image; the weights of one channel
    /// are `pitch` apart. Of the points in a row it is for the one at `ox` and those whose distance from it is a multiple of
    /// that of the image's points, or for all. The result is the number of entries.
    pub fn meeting(
        &self,
        lines: Range<usize>,
        ox: Option<usize>,
        pitch: usize,
        taps: &mut [Tap],
    ) -> usize {
        let mut count = 0;
        let mut list = |ky: usize, kx: usize| {
            let place = ky * self.dilation[0] * self.frame.size[1] + kx * self.dilation[1];
            taps[count] = [place, (ky * self.kernel[1] + kx) * pitch];
            count += 1;
        };
        for ky in self.rows_met(lines) {
            match ox {
                Some(ox) => self.columns_met(ox).for_each(|kx| list(ky, kx)),
                None => (0..self.kernel[1]).for_each(|kx| list(ky, kx)),
            }
        }
        count
    }

    /// Where the row of the image for each channel and point of the kernel begins.
    pub fn offsets(&self, offsets: &mut [usize]) {
        if self.is_dense() {
            return self.places(offsets);
        }
        for (i, offset) in offsets.iter_mut().enumerate() {
            *offset = i * self.matrix_row();
        }
    }

    /// Where the first point of the result meets each channel and point of the kernel, in the frames.
    pub fn places(&self, places: &mut [usize]) {
        let [kh, kw] = self.kernel;
        let [dh, dw] = self.dilation;
        let points = (0..self.channels)
            .flat_map(|c| (0..kh).flat_map(move |ky| (0..kw).map(move |kx| (c, ky, kx))));
        for (place, (c, ky, kx)) in places.iter_mut().zip(points) {
            *place = c * self.frame.len() + ky * dh * self.frame.size[1] + kx * dw;
        }
    }

    /// The sums of a group: `weight` times `image` [channels, height, width], for `rows` channels of the result. They go to
    /// `out` [rows, points] or, where there is none, to scratch memory; the result points to them.
    ///
    /// # Safety
    /// The pointers must be good for these sizes, the weights as the way wants them, and the room made for this way and at
    /// least as many rows; [`Way::Rows`] is for strides of 1. Nobody else may use `out`.
    pub unsafe fn compute<E: Float>(
        &self,
        way: Way,
        image: *const E,
        weight: *const E,
        rows: usize,
        out: Option<*mut E>,
        room: &mut Room<'_, E>,
    ) -> *const E {
        // SAFETY: the caller's promise.
        unsafe {
            self.fill(image, room.frames);
            match way {
                Way::Points => self.along_points(weight, rows, out, room),
                Way::Channels => self.along_channels(weight, rows, out, room),
                Way::Rows => self.along_rows(weight, rows, out, room),
            }
        }
    }

    /// Writes the frame of each channel.
    ///
    /// # Safety
    /// `image` must be good for all channels.
    pub unsafe fn fill<E: Float>(&self, image: *const E, frames: &mut [E]) {
        let len = self.frame.image[0] * self.frame.image[1];
        for (c, frame) in
            frames.chunks_exact_mut(self.frame.len().max(1)).take(self.channels).enumerate()
        {
            // SAFETY: the caller's promise; the slice is a frame.
            unsafe { self.frame.fill(image.add(c * len), frame.as_mut_ptr()) };
        }
    }

    /// # Safety
    /// As for [`Correlation::compute`].
    unsafe fn along_channels<E: Float>(
        &self,
        panels: *const E,
        rows: usize,
        out: Option<*mut E>,
        room: &mut Room<'_, E>,
    ) -> *const E {
        let out = out.unwrap_or(room.sums.as_mut_ptr());
        let correlate = Correlate {
            correlation: *self,
            frames: room.frames.as_ptr(),
            panels,
            rows,
            out,
            sums: room.panel,
            taps: room.offsets,
        };
        // SAFETY: the caller's promise; `room` has the sizes of this correlation.
        unsafe { E::Loops::correlate(correlate) };
        out
    }

    /// # Safety
    /// As for [`Correlation::compute`].
    unsafe fn along_rows<E: Float>(
        &self,
        weights: *const E,
        rows: usize,
        out: Option<*mut E>,
        room: &mut Room<'_, E>,
    ) -> *const E {
        let out = out.unwrap_or(room.sums.as_mut_ptr());
        let correlate = CorrelateRows {
            correlation: *self,
            frames: room.frames.as_ptr(),
            weights,
            rows,
            out,
            taps: room.offsets,
        };
        // SAFETY: the caller's promise; `room` has the sizes of this correlation.
        unsafe { E::Loops::correlate_rows(correlate) };
        out
    }

    /// # Safety
    /// As for [`Correlation::compute`].
    unsafe fn along_points<E: Float>(
        &self,
        weight: *const E,
        rows: usize,
        out: Option<*mut E>,
        room: &mut Room<'_, E>,
    ) -> *const E {
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

#[cfg(test)]
mod tests;
