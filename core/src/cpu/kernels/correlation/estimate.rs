//! Which way a convolution is computed: an estimate of time from its sizes.
//!
//! Times are in halves of a cycle, of processors that do two multiplications of vectors of 16 numbers in each, and load two.

use super::{Correlation, Way};
use crate::cpu::kernels::tile::WIDTH;

/// The numbers of a vector.
const LANES: usize = WIDTH / 2;

/// The time that a tile takes for one number of the image or the weights: `rows` rows, `vectors` vectors, and what else is
/// loaded. A multiplication takes so long that at least 8 must be under way.
fn tile(rows: usize, vectors: usize, loads: usize) -> f64 {
    (rows * vectors).max(rows + loads).max(8) as f64
}

/// The vectors of an image are loaded in two parts.
fn of_image(rows: usize, vectors: usize) -> f64 {
    tile(rows, vectors, 2 * vectors + 1)
}

/// Tiles of pairs of vectors along an axis of this length, and of what is left.
fn across(len: usize, tile: impl Fn(usize) -> f64) -> f64 {
    let rest = (len % WIDTH).div_ceil(LANES);
    (len / WIDTH) as f64 * tile(2) + if rest > 0 { tile(rest) } else { 0.0 }
}

/// Strips of about the same height, at most `most`: their number and height.
fn evenly(len: usize, most: usize) -> (f64, usize) {
    let strips = len.div_ceil(most).max(1);
    (strips as f64, len.div_ceil(strips))
}

impl Correlation {
    /// The way for results of `rows` channels: the one that needs least time.
    pub fn way(&self, rows: usize) -> Way {
        if self.k() == 0 {
            // There is nothing to sum up, and panels would not even be zero.
            return Way::Points;
        }
        let by_points = self.time_by_points(rows);
        let by_rows = if self.is_dense() { self.time_by_rows(rows) } else { f64::INFINITY };
        if self.time_by_channels(rows) < by_points.min(by_rows) {
            Way::Channels
        } else if by_rows < by_points {
            Way::Rows
        } else {
            Way::Points
        }
    }

    /// The numbers that are stored.
    fn stored(&self, rows: usize) -> f64 {
        rows as f64 * self.points() as f64
    }

    /// The rows of the kernel that are met, of all rows of the result, `together` at once.
    fn all_rows_met(&self, together: usize) -> f64 {
        let height = self.out[0];
        let lines = (0..height).step_by(together);
        let met = |oy: usize| self.rows_met(oy..(oy + together).min(height)).count();
        lines.map(met).sum::<usize>() as f64
    }

    fn time_by_points(&self, rows: usize) -> f64 {
        let (strips, height) = evenly(rows, 8);
        // A quarter more, as measured.
        let sums = strips * across(self.cols(), |v| of_image(height, v)) * self.k() as f64 * 1.25;
        let gathered = if self.is_dense() { 0.0 } else { 4.0 * (self.k() * self.points()) as f64 };
        sums + gathered + self.stored(rows)
    }

    fn time_by_rows(&self, rows: usize) -> f64 {
        // Strips of 8, then of 6, and what the rest is made of.
        let all_strips = |vectors: usize| {
            let (mut left, mut time) = (rows, 0.0);
            while left > 0 {
                let height = match left {
                    8.. => 8,
                    6.. => 6,
                    4.. => 4,
                    few => few,
                };
                time += of_image(height, vectors);
                left -= height;
            }
            time
        };
        let of_row = (self.channels * self.kernel[1]) as f64;
        let tiles = if self.out[1] <= LANES {
            self.all_rows_met(2) * all_strips(2)
        } else {
            self.all_rows_met(1) * across(self.out[1], all_strips)
        };
        tiles * of_row + self.stored(rows) / 2.0
    }

    fn time_by_channels(&self, rows: usize) -> f64 {
        let (width, apart) = (self.out[1], self.frame.step[1]);
        let of_row = |vectors: usize| {
            let points = |ox: usize| {
                let most = if vectors == 1 { 12 } else { 8 };
                let (strips, height) = evenly((width - ox).div_ceil(apart), most);
                strips * tile(height, vectors, vectors + 1) * self.columns_met(ox).count() as f64
            };
            (0..apart.min(width)).map(points).sum::<f64>()
        };
        let tiles = self.all_rows_met(1) * across(rows, of_row);
        tiles * self.channels as f64 + self.stored(rows) * 2.0
    }
}
