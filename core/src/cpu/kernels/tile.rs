//! Products of small matrices, a tile of the result in registers at a time.
//!
//! The columns of the result run along the vectors. Either both matrices are packed, or the right one is addressed
//! row by row through a table of offsets, which makes a convolution a product too. No element is summed in another
//! order than k's, so that the way a product is cut never changes a result.

use crate::cpu::simd::{Simd, Vectorised, prefetch};
use crate::element::Float;

/// The most columns that a tile has in any instruction set and element type: what the rows of the right
/// matrix must be readable beyond the last column.
pub const WIDTH: usize = 32;

/// `c[i][j] = sum over p of a[i * a_row + p * a_k] * b[offsets[p] + j]`, or added to `c`.
///
/// Where there is no table, both matrices are packed: `b[p * WIDTH + j]` is a panel of at most [`WIDTH`] columns, and
/// `a` holds strips of [`height`] rows one after another, each element (i, p) at `p * rows of the strip + i`.
#[derive(Clone, Copy)]
pub struct Product<E> {
    pub a: *const E,
    pub a_row: usize,
    pub a_k: usize,
    pub b: *const E,
    pub offsets: Option<*const usize>,
    pub c: *mut E,
    pub c_row: usize,
    pub rows: usize,
    pub cols: usize,
    pub k: usize,
    pub add: bool,
}

impl<E: Float> Vectorised<E> for Product<E> {
    /// # Safety
    /// The pointers must be good for all elements that the sizes address, and `b` for rows of a number of
    /// columns that is a multiple of [`WIDTH`]. `c` must not overlap `a` or `b`.
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        // SAFETY: the caller's promise.
        unsafe { tiles::<E, S>(self) }
    }
}

/// Rows of a strip of tiles, of `rows` in all: strips of about the same height.
#[inline(always)]
pub(super) fn height<E, S: Simd<E>>(rows: usize) -> usize {
    rows.div_ceil(rows.div_ceil(S::ROWS).max(1))
}

/// # Safety
/// As for a [`Product`], on a processor that has the instructions of `S`.
#[inline(always)]
unsafe fn tiles<E: Float, S: Simd<E>>(all: Product<E>) {
    const { assert!(S::ROWS <= 8 && WIDTH.is_multiple_of(2 * S::LANES)) };
    let height = height::<E, S>(all.rows);
    // Pointers that go on from strip to strip: what is computed from a row's number, the compiler computes again in the
    // innermost loop.
    let mut strip = Product { rows: height, ..all };
    let (mut left, a_step) =
        (all.rows, height * if all.offsets.is_none() { all.k } else { all.a_row });
    while left > 0 {
        strip.rows = height.min(left);
        // SAFETY: the caller's promise.
        unsafe {
            match strip.rows {
                1 => strip_of::<E, S, 1>(strip),
                2 => strip_of::<E, S, 2>(strip),
                3 => strip_of::<E, S, 3>(strip),
                4 => strip_of::<E, S, 4>(strip),
                5 => strip_of::<E, S, 5>(strip),
                6 => strip_of::<E, S, 6>(strip),
                7 => strip_of::<E, S, 7>(strip),
                _ => strip_of::<E, S, 8>(strip),
            }
        }
        left -= strip.rows;
        strip.a = strip.a.wrapping_add(a_step);
        strip.c = strip.c.wrapping_add(height * all.c_row);
    }
}

/// # Safety
/// As for [`tiles`]; the product has `R` rows.
#[inline(always)]
unsafe fn strip_of<E: Float, S: Simd<E>, const R: usize>(strip: Product<E>) {
    let mut col = 0;
    while col < strip.cols {
        let cols = strip.cols - col;
        // `wrapping`, because there may be no rows of `b`.
        let (b, c) = (strip.b.wrapping_add(col), strip.c.wrapping_add(col));
        let rest = Product { b, c, cols, ..strip };
        // SAFETY: the caller's promise.
        unsafe {
            match (strip.offsets, cols > S::LANES) {
                (None, true) => tile::<E, S, R, 2>(rest, packed::<E, S, R, 2>(&rest)),
                (None, false) => tile::<E, S, R, 1>(rest, packed::<E, S, R, 1>(&rest)),
                (Some(offsets), true) => {
                    tile::<E, S, R, 2>(rest, by_table::<E, S, R, 2>(&rest, offsets));
                }
                (Some(offsets), false) => {
                    tile::<E, S, R, 1>(rest, by_table::<E, S, R, 1>(&rest, offsets));
                }
            }
        }
        col += 2 * S::LANES;
    }
}

/// The sums of a tile of R rows and V vectors, of packed matrices.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn packed<E: Float, S: Simd<E>, const R: usize, const V: usize>(
    t: &Product<E>,
) -> [[S::V; V]; R] {
    // SAFETY: the caller's promise covers every element that is addressed here.
    unsafe {
        // The result's lines arrive while the sums are computed.
        for i in 0..R {
            for v in 0..V {
                prefetch(t.c.wrapping_add(i * t.c_row + v * S::LANES));
            }
        }
        let mut sums = [[S::zero(); V]; R];
        let (mut a, mut b) = (t.a, t.b);
        for _ in 0..t.k {
            let row: [S::V; V] = std::array::from_fn(|v| S::load(b.add(v * S::LANES)));
            for (i, sums) in sums.iter_mut().enumerate() {
                let x = S::splat(*a.add(i));
                for (sum, &y) in sums.iter_mut().zip(&row) {
                    *sum = S::mul_add(x, y, *sum);
                }
            }
            a = a.add(R);
            b = b.add(WIDTH);
        }
        sums
    }
}

/// The sums of a tile of R rows and V vectors, with a table.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn by_table<E: Float, S: Simd<E>, const R: usize, const V: usize>(
    t: &Product<E>,
    offsets: *const usize,
) -> [[S::V; V]; R] {
    // SAFETY: the caller's promise covers every element that is addressed here.
    unsafe {
        let mut sums = [[S::zero(); V]; R];
        // A pointer for each row: one that goes on from row to row would be a chain of additions as long as the
        // multiplications take.
        let rows: [*const E; R] = std::array::from_fn(|i| t.a.wrapping_add(i * t.a_row));
        let mut a = 0;
        for p in 0..t.k {
            let b = t.b.add(*offsets.add(p));
            let row: [S::V; V] = std::array::from_fn(|v| S::load(b.add(v * S::LANES)));
            for (sums, first) in sums.iter_mut().zip(&rows) {
                let x = S::splat(*first.add(a));
                for (sum, &y) in sums.iter_mut().zip(&row) {
                    *sum = S::mul_add(x, y, *sum);
                }
            }
            a += t.a_k;
        }
        sums
    }
}

/// Stores the sums of one tile of R rows and V vectors, or adds them to what is there.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn tile<E: Float, S: Simd<E>, const R: usize, const V: usize>(
    t: Product<E>,
    sums: [[S::V; V]; R],
) {
    // SAFETY: the caller's promise; of a narrow tile only the columns that there are.
    unsafe {
        if t.cols >= V * S::LANES {
            for (i, sums) in sums.iter().enumerate() {
                let c = t.c.add(i * t.c_row);
                for (v, &sum) in sums.iter().enumerate() {
                    let c = c.add(v * S::LANES);
                    S::store(c, if t.add { S::add(S::load(c), sum) } else { sum });
                }
            }
            return;
        }
        for (i, sums) in sums.iter().enumerate() {
            let (mut c, mut left) = (t.c.add(i * t.c_row), t.cols);
            for &sum in sums {
                if left >= S::LANES {
                    S::store(c, if t.add { S::add(S::load(c), sum) } else { sum });
                } else {
                    let sum = if t.add { S::add(S::load_some(c, left), sum) } else { sum };
                    S::store_some(c, sum, left);
                }
                let count = S::LANES.min(left);
                (c, left) = (c.add(count), left - count);
            }
        }
    }
}
