//! Copies of the matrices of a product in the order in which its tiles read them.

use super::tile::{WIDTH, height};
use crate::cpu::simd::{Simd, prefetch};
use crate::element::Float;

/// Copies a matrix [k, cols] into a panel [k, WIDTH], padded with zeros: element (p, j) is `b[p * b_k + j * b_col]`.
///
/// # Safety
/// `b` must be good for the elements that are addressed, `panel` for `k * WIDTH`; the processor must have the
/// instructions of `S`.
#[inline(always)]
pub(super) unsafe fn pack_panel<E: Float, S: Simd<E>>(
    b: *const E,
    [b_k, b_col]: [usize; 2],
    [k, cols]: [usize; 2],
    panel: *mut E,
) {
    // SAFETY: the caller's promise; squares of whole vectors lie in the matrix.
    unsafe {
        if b_col == 1 && cols == WIDTH {
            for p in 0..k {
                panel.add(p * WIDTH).copy_from_nonoverlapping(b.add(p * b_k), WIDTH);
            }
            return;
        }
        // Where columns are stored one after another, whole squares of them are transposed in registers.
        let (mut squares, mut depth) = (0, 0);
        if b_k == 1 {
            (squares, depth) = (cols - cols % S::LANES, k - k % S::LANES);
            for j in (0..squares).step_by(S::LANES) {
                for p in (0..depth).step_by(S::LANES) {
                    ahead::<E, S>(b.wrapping_add(p + j * b_col), b_col, S::LANES);
                    S::transpose(b.add(p + j * b_col), b_col, panel.add(p * WIDTH + j), WIDTH);
                }
            }
        }
        for p in 0..k {
            let first = if p < depth { squares } else { 0 };
            for j in first..cols {
                *panel.add(p * WIDTH + j) = *b.add(p * b_k + j * b_col);
            }
            for j in cols..WIDTH {
                *panel.add(p * WIDTH + j) = E::ZERO;
            }
        }
    }
}

/// Copies a panel [k, WIDTH] into `cols` rows, `to_row` apart: its columns.
///
/// # Safety
/// `panel` must be good for `k * WIDTH` elements, `to` for the rows; the processor must have the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn unpack_panel<E: Float, S: Simd<E>>(
    panel: *const E,
    [k, cols]: [usize; 2],
    to: *mut E,
    to_row: usize,
) {
    let squares = if k < S::LANES { 0 } else { cols - cols % S::LANES };
    for j in (0..squares).step_by(S::LANES) {
        for p in (0..k).step_by(S::LANES) {
            // The last square overlaps the one before it, which is the same numbers.
            let p = p.min(k - S::LANES);
            // SAFETY: the caller's promise; whole squares lie in both.
            unsafe {
                S::transpose(panel.add(p * WIDTH + j), WIDTH, to.add(j * to_row + p), to_row);
            }
        }
    }
    for j in squares..cols {
        for p in 0..k {
            // SAFETY: as above.
            unsafe { *to.add(j * to_row + p) = *panel.add(p * WIDTH + j) };
        }
    }
}

/// Begins to bring what some rows hold two vectors further on: rows are too far apart for the processor to guess.
#[inline(always)]
fn ahead<E, S: Simd<E>>(from: *const E, row: usize, rows: usize) {
    (0..rows).for_each(|i| prefetch(from.wrapping_add(i * row + 2 * S::LANES)));
}

/// Copies a matrix [rows, k] into strips of [`height`] rows, one after another, each [k, rows of the strip]. Element
/// (i, p) of the matrix is `a[i * a_row + p * a_k]`.
///
/// # Safety
/// `a` must be good for the elements that are addressed, `strips` for `rows * k`; the processor must
/// have the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn pack_strips<E: Float, S: Simd<E>>(
    a: *const E,
    [a_row, a_k]: [usize; 2],
    [rows, k]: [usize; 2],
    strips: *mut E,
) {
    const { assert!(S::ROWS <= 8 && S::LANES <= 16) };
    let height = height::<E, S>(rows);
    for row in (0..rows).step_by(height) {
        let count = height.min(rows - row);
        // SAFETY: the caller's promise; the strip lies in both.
        unsafe {
            // `wrapping`, because there may be no columns.
            let (a, strip) = (a.wrapping_add(row * a_row), strips.add(row * k));
            let mut p = 0;
            if count == S::ROWS && a_row == 1 {
                while p < k {
                    strip.add(p * S::ROWS).copy_from_nonoverlapping(a.add(p * a_k), S::ROWS);
                    p += 1;
                }
            } else if count == S::ROWS && a_k == 1 {
                while p + S::LANES <= k {
                    let (from, to) = (a.add(p), strip.add(p * S::ROWS));
                    ahead::<E, S>(from, a_row, S::ROWS);
                    if p + S::LANES < k {
                        S::interleave(from, a_row, to);
                    } else {
                        // What lies behind the strip may be another thread's.
                        let mut last = [E::ZERO; 16 * 8 + 16];
                        S::interleave(from, a_row, last.as_mut_ptr());
                        to.copy_from_nonoverlapping(last.as_ptr(), S::LANES * S::ROWS);
                    }
                    p += S::LANES;
                }
            }
            for p in p..k {
                for i in 0..count {
                    *strip.add(p * count + i) = *a.add(i * a_row + p * a_k);
                }
            }
        }
    }
}
