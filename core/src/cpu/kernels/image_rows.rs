//! Convolutions whose points run along the vectors, row by row of the result: for few channels, where the image's frame
//! is much wider than the result.
//!
//! The rows of the kernel that lie outside the image are left out, and nothing is computed in the frame's margin. Sums are in
//! the same order as in the other ways.

use std::ops::Range;

use super::correlation::{Correlation, Tap};
use super::tile::WIDTH;
use crate::cpu::simd::{Simd, Vectorised};
use crate::element::Float;

/// The correlation of one sample's group: `out` [rows, points] from its frames and the weights [rows, k]. The stride is 1.
///
/// # Safety
/// Doing it needs pointers that are good for what the sizes say, and `taps` of the length that is stated; nobody else may use
/// `out`.
pub struct CorrelateRows<'a, E> {
    pub(super) correlation: Correlation,
    /// With room for [`WIDTH`] more elements behind them, which are read and not used.
    pub frames: *const E,
    pub weights: *const E,
    pub rows: usize,
    pub out: *mut E,
    /// Two numbers for each point of the kernel.
    pub taps: &'a mut [usize],
}

impl<E: Float> Vectorised<E> for CorrelateRows<'_, E> {
    /// # Safety
    /// As for [`CorrelateRows`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        const { assert!(S::ROWS <= 8 && WIDTH.is_multiple_of(2 * S::LANES)) };
        let CorrelateRows { correlation: c, frames, weights, rows, out, taps } = self;
        let all = taps.as_chunks_mut::<2>().0;
        let [lines, width] = c.out;
        // Two short rows fill two vectors.
        let together = if width <= S::LANES { 2 } else { 1 };
        for oy in (0..lines).step_by(together) {
            let lines = oy..(oy + together).min(lines);
            let live = c.meeting(lines.clone(), None, 1, all);
            let points =
                Points { correlation: &c, frames, weights, out, taps: &all[..live], lines };
            let mut left = rows;
            while left > 0 {
                let strip = Points {
                    weights: weights.wrapping_add((rows - left) * c.k()),
                    out: out.wrapping_add((rows - left) * c.points()),
                    lines: points.lines.clone(),
                    ..points
                };
                // SAFETY: the caller's promise.
                left -= unsafe {
                    match left {
                        left if const { S::ROWS == 8 } && left >= 8 => strip.of::<S, 8>(),
                        left if const { S::ROWS > 4 } && left >= 6 => strip.of::<S, 6>(),
                        1 => strip.of::<S, 1>(),
                        2 => strip.of::<S, 2>(),
                        3 => strip.of::<S, 3>(),
                        _ => strip.of::<S, 4>(),
                    }
                };
            }
        }
    }
}

/// Points of one or two rows of the result, for a strip of channels.
struct Points<'a, E> {
    correlation: &'a Correlation,
    frames: *const E,
    weights: *const E,
    out: *mut E,
    taps: &'a [Tap],
    lines: Range<usize>,
}

impl<E: Float> Points<'_, E> {
    /// Vectors of R channels; the result is R.
    ///
    /// # Safety
    /// As for [`CorrelateRows`].
    #[inline(always)]
    unsafe fn of<S: Simd<E>, const R: usize>(self) -> usize {
        let width = self.correlation.out[1];
        // SAFETY: the caller's promise.
        unsafe {
            if self.lines.len() == 2 {
                let [a, b] = [0, 1].map(|i| [self.lines.start + i, 0]);
                self.tile::<S, R, 2>([a, b], [width, width]);
                return R;
            }
            let oy = self.lines.start;
            let mut ox = 0;
            while width - ox > S::LANES {
                let rest = S::LANES.min(width - ox - S::LANES);
                self.tile::<S, R, 2>([[oy, ox], [oy, ox + S::LANES]], [S::LANES, rest]);
                ox = (ox + 2 * S::LANES).min(width);
            }
            if ox < width {
                self.tile::<S, R, 1>([[oy, ox]], [width - ox]);
            }
        }
        R
    }

    /// The sums of R channels and V vectors of points, of which `counts` are wanted.
    ///
    /// # Safety
    /// As for [`CorrelateRows`].
    #[inline(always)]
    unsafe fn tile<S: Simd<E>, const R: usize, const V: usize>(
        &self,
        places: [[usize; 2]; V],
        counts: [usize; V],
    ) {
        let c = self.correlation;
        let (frame, all) = (c.frame.len(), c.kernel[0] * c.kernel[1]);
        // SAFETY: the caller's promise covers every element that is addressed here.
        unsafe {
            let mut sums = [[S::zero(); V]; R];
            let mut images = places.map(|[oy, ox]| self.frames.add(c.place(oy, ox)));
            let weights: [*const E; R] = std::array::from_fn(|i| self.weights.add(i * c.k()));
            for channel in 0..c.channels {
                let first = channel * all;
                for &[place, tap] in self.taps {
                    let x = images.map(
                        #[inline(always)]
                        |image| S::load(image.add(place)),
                    );
                    for (sums, weights) in sums.iter_mut().zip(&weights) {
                        let w = S::splat(*weights.add(first + tap));
                        for (sum, &x) in sums.iter_mut().zip(&x) {
                            *sum = S::mul_add(w, x, *sum);
                        }
                    }
                }
                images = images.map(|image| image.wrapping_add(frame));
            }
            for (i, sums) in sums.iter().enumerate() {
                for ((&sum, [oy, ox]), count) in sums.iter().zip(places).zip(counts) {
                    let out = self.out.add(i * c.points() + oy * c.out[1] + ox);
                    if count == S::LANES {
                        S::store(out, sum);
                    } else {
                        S::store_some(out, sum, count);
                    }
                }
            }
        }
    }
}
