//! Convolutions whose result has many channels: these run along the vectors, and each is multiplied by one number of
//! the image at a time.
//!
//! Where points run along the vectors (correlation.rs) a narrow image leaves much of them unused, and the frame's zeros are
//! multiplied. Here a tile has the points of a piece of one row, whatever their distance in the image, and the rows of the
//! kernel that lie outside the image are left out, as are the zeros between points that are set apart. No element is summed in
//! another order than there, so that for finite weights it is a matter of time alone which way is taken.

use super::correlation::{Correlation, Tap};
use super::pack::{pack_panel, unpack_panel};
use super::tile::WIDTH;
use crate::cpu::simd::{Simd, Vectorised};
use crate::element::Float;

/// The rows of a panel that are used together, so that in f32 they stay in the first cache.
const DEPTH: usize = 256;
/// The points of a tile of one vector: as many accumulators as one of two vectors has, about.
const NARROW: usize = 12;

/// The panels of `rows` channels.
pub(super) fn panels(rows: usize) -> usize {
    rows.div_ceil(WIDTH)
}

/// A matrix [cols, k], element (j, p) at `from[j * row + p]`, copied into panels [k, [`WIDTH`]] of columns, one after another.
///
/// # Safety
/// Doing it needs a `from` that is good for the matrix, and `panels` good for [`panels`] of `k * WIDTH` elements.
pub struct PackPanels<E> {
    pub from: *const E,
    pub row: usize,
    pub cols: usize,
    pub k: usize,
    pub panels: *mut E,
}

impl<E: Float> Vectorised<E> for PackPanels<E> {
    /// # Safety
    /// As for [`PackPanels`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let PackPanels { from, row, cols, k, panels } = self;
        for (i, first) in (0..cols).step_by(WIDTH).enumerate() {
            let (from, panel) =
                (from.wrapping_add(first * row), panels.wrapping_add(i * k * WIDTH));
            // SAFETY: the caller's promise.
            unsafe { pack_panel::<E, S>(from, [1, row], [k, WIDTH.min(cols - first)], panel) };
        }
    }
}

/// Panels [k, [`WIDTH`]] of columns, copied into a matrix [cols, k], element (j, p) at `to[j * row + p]`.
///
/// # Safety
/// As for [`PackPanels`].
pub struct UnpackPanels<E> {
    pub panels: *const E,
    pub cols: usize,
    pub k: usize,
    pub to: *mut E,
    pub row: usize,
}

impl<E: Float> Vectorised<E> for UnpackPanels<E> {
    /// # Safety
    /// As for [`PackPanels`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let UnpackPanels { panels, cols, k, to, row } = self;
        for (i, first) in (0..cols).step_by(WIDTH).enumerate() {
            let (to, panel) = (to.wrapping_add(first * row), panels.wrapping_add(i * k * WIDTH));
            // SAFETY: the caller's promise.
            unsafe { unpack_panel::<E, S>(panel, [k, WIDTH.min(cols - first)], to, row) };
        }
    }
}

/// The correlation of one sample's group: `out` [rows, points] from its frames and the weights in panels [k, [`WIDTH`]].
///
/// # Safety
/// Doing it needs pointers that are good for what the sizes say, at least one channel of the image, and `sums` and `taps` of
/// the lengths that are stated; nobody else may use `out`.
pub struct Correlate<'a, E> {
    pub(super) correlation: Correlation,
    pub frames: *const E,
    pub panels: *const E,
    pub rows: usize,
    pub out: *mut E,
    /// A number for each point and each column of a panel.
    pub sums: &'a mut [E],
    /// Two numbers for each point of the kernel.
    pub taps: &'a mut [usize],
}

impl<E: Float> Vectorised<E> for Correlate<'_, E> {
    /// # Safety
    /// As for [`Correlate`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        const { assert!(S::ROWS <= 8 && WIDTH.is_multiple_of(2 * S::LANES)) };
        let Correlate { correlation: c, frames, panels, rows, out, sums, taps } = self;
        let (taps, sums) = (taps.as_chunks_mut::<2>().0, sums.as_mut_ptr());
        let together = (DEPTH / taps.len().max(1)).max(1);
        for (panel, row) in (0..rows).step_by(WIDTH).enumerate() {
            let cols = WIDTH.min(rows - row);
            let panel = panels.wrapping_add(panel * c.k() * WIDTH);
            for first in (0..c.channels).step_by(together) {
                let part = Part {
                    frames: frames.wrapping_add(first * c.frame.len()),
                    panel: panel.wrapping_add(first * taps.len() * WIDTH),
                    channels: usize::min(together, c.channels - first),
                    add: first > 0,
                    cols,
                    sums,
                };
                // SAFETY: the caller's promise.
                unsafe { part.rows::<S>(&c, taps) };
            }
            let points = c.points();
            // SAFETY: the caller's promise; the sums are one panel.
            unsafe {
                let out = out.wrapping_add(row * points);
                unpack_panel::<E, S>(sums, [points, cols], out, points);
            }
        }
    }
}

/// Some channels of the image, and one panel of weights.
struct Part<E> {
    frames: *const E,
    panel: *const E,
    channels: usize,
    /// Whether other channels have been summed up already.
    add: bool,
    cols: usize,
    sums: *mut E,
}

impl<E: Float> Part<E> {
    /// # Safety
    /// As for [`Correlate`].
    #[inline(always)]
    unsafe fn rows<S: Simd<E>>(&self, c: &Correlation, taps: &mut [Tap]) {
        let [height, width] = c.out;
        // Where the image's points are set apart, points of the result at that distance meet the same points of the kernel.
        let apart = c.frame.step[1].min(width);
        for oy in 0..height {
            for ox in 0..apart {
                let live = c.meeting(oy..oy + 1, Some(ox), WIDTH, taps);
                let mut row = Row {
                    image: self.frames.wrapping_add(c.place(oy, ox)),
                    step: apart.wrapping_mul(c.stride[1]),
                    frame: c.frame.len(),
                    taps: &taps[..live],
                    all: taps.len(),
                    panel: self.panel,
                    channels: self.channels,
                    sums: self.sums.wrapping_add((oy * width + ox) * WIDTH),
                    sums_step: apart * WIDTH,
                    points: usize::div_ceil(width - ox, apart),
                    add: self.add,
                };
                for col in (0..self.cols).step_by(2 * S::LANES) {
                    // SAFETY: the caller's promise.
                    unsafe {
                        if self.cols - col > S::LANES {
                            row.strips::<S, 2>();
                        } else {
                            row.strips::<S, 1>();
                        }
                    }
                    row.panel = row.panel.wrapping_add(2 * S::LANES);
                    row.sums = row.sums.wrapping_add(2 * S::LANES);
                }
            }
        }
    }
}

/// Points of one row of the result that meet the same points of the kernel.
#[derive(Clone, Copy)]
struct Row<'a, E> {
    image: *const E,
    /// The distance in the image of two points' numbers.
    step: usize,
    /// The distance of two channels.
    frame: usize,
    taps: &'a [Tap],
    /// The points of the whole kernel.
    all: usize,
    panel: *const E,
    channels: usize,
    sums: *mut E,
    sums_step: usize,
    points: usize,
    add: bool,
}

/// The points of a strip of tiles of V vectors, of `points` in all: strips of about the same height.
#[inline(always)]
fn height<E, S: Simd<E>, const V: usize>(points: usize) -> usize {
    // A tile of one vector has registers for more points. Of its heights over 8 there are 10 and 12: each takes time to
    // compile.
    let most = if V == 1 && S::ROWS == 8 { NARROW } else { S::ROWS };
    let height = points.div_ceil(points.div_ceil(most).max(1));
    match height {
        9 | 11 => points.div_ceil(points.div_ceil(8)),
        height => height,
    }
}

impl<E: Float> Row<'_, E> {
    /// # Safety
    /// As for [`Correlate`].
    #[inline(always)]
    unsafe fn strips<S: Simd<E>, const V: usize>(mut self) {
        let height = height::<E, S, V>(self.points);
        while self.points > 0 {
            let points = match height.min(self.points) {
                // What is left after strips of 10 or 12.
                9 => 8,
                11 => 10,
                points => points,
            };
            // SAFETY: the caller's promise.
            unsafe {
                if const { S::ROWS == 8 } {
                    match (points, V) {
                        (7, _) => of_points::<E, S, 7, V>(&self),
                        (8, _) => of_points::<E, S, 8, V>(&self),
                        (10, 1) => of_points::<E, S, 10, 1>(&self),
                        (12, 1) => of_points::<E, S, 12, 1>(&self),
                        _ => self.few::<S, V>(points),
                    }
                } else {
                    self.few::<S, V>(points);
                }
            }
            self.points -= points;
            self.image = self.image.wrapping_add(points * self.step);
            self.sums = self.sums.wrapping_add(points * self.sums_step);
        }
    }
}

impl<E: Float> Row<'_, E> {
    /// One tile of at most 6 points.
    ///
    /// # Safety
    /// As for [`Correlate`].
    #[inline(always)]
    unsafe fn few<S: Simd<E>, const V: usize>(&self, points: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match points {
                1 => of_points::<E, S, 1, V>(self),
                2 => of_points::<E, S, 2, V>(self),
                3 => of_points::<E, S, 3, V>(self),
                4 => of_points::<E, S, 4, V>(self),
                _ if const { S::ROWS > 4 } => match points {
                    5 => of_points::<E, S, 5, V>(self),
                    6 => of_points::<E, S, 6, V>(self),
                    _ => unreachable!("no tile has as many points"),
                },
                _ => unreachable!("no tile has as many points"),
            }
        }
    }
}

/// The sums of R points and V vectors of channels.
///
/// # Safety
/// As for [`Correlate`].
#[inline(always)]
unsafe fn of_points<E: Float, S: Simd<E>, const R: usize, const V: usize>(t: &Row<'_, E>) {
    // SAFETY: the caller's promise covers every element that is addressed here.
    unsafe {
        let mut sums = [[S::zero(); V]; R];
        if t.add {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(t.sums.add(i * t.sums_step + v * S::LANES));
                }
            }
        }
        let (mut image, mut panel) = (t.image, t.panel);
        for _ in 0..t.channels {
            for &[place, weights] in t.taps {
                let (x, w) = (image.add(place), panel.add(weights));
                let w: [S::V; V] = std::array::from_fn(|v| S::load(w.add(v * S::LANES)));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = S::splat(*x.wrapping_add(i.wrapping_mul(t.step)));
                    for (sum, &w) in sums.iter_mut().zip(&w) {
                        *sum = S::mul_add(x, w, *sum);
                    }
                }
            }
            image = image.wrapping_add(t.frame);
            panel = panel.wrapping_add(t.all * WIDTH);
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                S::store(t.sums.add(i * t.sums_step + v * S::LANES), sum);
            }
        }
    }
}

/// Adds the gradient of one sample's group with respect to the weights to `sums`, panels [k, [`WIDTH`]] of the result's
/// channels: the products of every number of the image with the gradients of the points that meet it.
///
/// # Safety
/// Doing it needs pointers that are good for what the sizes say; nobody else may use `sums`.
pub struct AddWeights<E> {
    pub(super) correlation: Correlation,
    pub frames: *const E,
    /// Where the numbers of each channel and point of the kernel begin, in the frames.
    pub offsets: *const usize,
    /// dy in panels [points, [`WIDTH`]].
    pub dy: *const E,
    /// The channels of dy.
    pub outs: usize,
    pub sums: *mut E,
}

impl<E: Float> Vectorised<E> for AddWeights<E> {
    /// # Safety
    /// As for [`AddWeights`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let AddWeights { correlation: c, frames, offsets, dy, outs, sums } = self;
        let [height, width] = c.out;
        let together = (DEPTH / width).max(1);
        for panel in 0..panels(outs) {
            let cols = WIDTH.min(outs - panel * WIDTH);
            for oy in (0..height).step_by(together) {
                for col in (0..cols).step_by(2 * S::LANES) {
                    let points = panel * height * width + oy * width;
                    let strip = Strip {
                        frames: frames.wrapping_add(c.place(oy, 0)),
                        offsets,
                        rows: c.k(),
                        size: [usize::min(together, height - oy), width],
                        // A stride beyond the image is never taken, and may be any number.
                        steps: [c.stride[0].wrapping_mul(c.frame.size[1]), c.stride[1]],
                        dy: dy.wrapping_add(points * WIDTH + col),
                        sums: sums.wrapping_add(panel * c.k() * WIDTH + col),
                    };
                    // SAFETY: the caller's promise.
                    unsafe {
                        if cols - col > S::LANES {
                            strip.all::<S, 2>();
                        } else {
                            strip.all::<S, 1>();
                        }
                    }
                }
            }
        }
    }
}

/// Some rows of the image's points, and vectors of channels.
#[derive(Clone, Copy)]
struct Strip<E> {
    frames: *const E,
    offsets: *const usize,
    rows: usize,
    /// Rows and columns of points.
    size: [usize; 2],
    /// The distances in the frames of the numbers that neighbouring points meet.
    steps: [usize; 2],
    dy: *const E,
    sums: *mut E,
}

impl<E: Float> Strip<E> {
    /// # Safety
    /// As for [`AddWeights`].
    #[inline(always)]
    unsafe fn all<S: Simd<E>, const V: usize>(mut self) {
        while self.rows > 0 {
            // SAFETY: the caller's promise.
            let rows = unsafe {
                match self.rows {
                    1 => of_weights::<E, S, 1, V>(&self),
                    2 | 3 => of_weights::<E, S, 2, V>(&self),
                    rows if const { S::ROWS == 8 } && rows >= 8 => of_weights::<E, S, 8, V>(&self),
                    rows if const { S::ROWS == 6 } && rows >= 6 => of_weights::<E, S, 6, V>(&self),
                    _ => of_weights::<E, S, 4, V>(&self),
                }
            };
            self.rows -= rows;
            self.offsets = self.offsets.wrapping_add(rows);
            self.sums = self.sums.wrapping_add(rows * WIDTH);
        }
    }
}

/// Adds to the sums of R weights of an image's channels and V vectors of the result's channels; the result is R.
///
/// # Safety
/// As for [`AddWeights`].
#[inline(always)]
unsafe fn of_weights<E: Float, S: Simd<E>, const R: usize, const V: usize>(t: &Strip<E>) -> usize {
    // SAFETY: the caller's promise covers every element that is addressed here.
    unsafe {
        let mut sums = [[S::zero(); V]; R];
        for (i, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = S::load(t.sums.add(i * WIDTH + v * S::LANES));
            }
        }
        let rows: [*const E; R] = std::array::from_fn(|i| t.frames.add(*t.offsets.add(i)));
        let mut dy = t.dy;
        for y in 0..t.size[0] {
            let mut place = y * t.steps[0];
            for _ in 0..t.size[1] {
                let g: [S::V; V] = std::array::from_fn(|v| S::load(dy.add(v * S::LANES)));
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let x = S::splat(*row.add(place));
                    for (sum, &g) in sums.iter_mut().zip(&g) {
                        *sum = S::mul_add(x, g, *sum);
                    }
                }
                place += t.steps[1];
                dy = dy.wrapping_add(WIDTH);
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                S::store(t.sums.add(i * WIDTH + v * S::LANES), sum);
            }
        }
    }
    R
}
