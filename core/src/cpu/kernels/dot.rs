//! Products of matrices that are both stored along the summed axis, such as x [m, k] and a weight [n, k]:
//! every element of the result is the dot product of two rows, and nothing has to be packed.

use crate::cpu::simd::{Simd, Vectorised};
use crate::element::Float;

/// `c[i][j] = sum over q of a[i * a_row + q] * b[offset(j) + q]`, or added to `c`.
#[derive(Clone, Copy)]
pub struct Dots<E> {
    pub a: *const E,
    pub a_row: usize,
    pub b: *const E,
    /// Where row j of b begins: `j * b_row`, or an entry of a table.
    pub rows_of_b: Rows,
    pub c: *mut E,
    pub c_row: usize,
    pub rows: usize,
    pub cols: usize,
    pub k: usize,
    pub add: bool,
}

/// Where the rows of a matrix begin.
#[derive(Clone, Copy)]
pub enum Rows {
    Every(usize),
    At(*const usize),
}

impl Rows {
    /// # Safety
    /// A table must have an entry `j`.
    #[inline(always)]
    unsafe fn offset(self, j: usize) -> usize {
        match self {
            Rows::Every(stride) => j * stride,
            // SAFETY: the caller's promise.
            Rows::At(table) => unsafe { *table.add(j) },
        }
    }
}

impl<E: Float> Vectorised<E> for Dots<E> {
    /// # Safety
    /// The pointers must be good for all elements that the sizes address; `c` must not overlap `a` or `b`.
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        // SAFETY: the caller's promise.
        unsafe { blocks::<E, S>(self) }
    }
}

/// The rows and columns of a block.
const BLOCK: usize = 4;

/// # Safety
/// As for [`Dots`], on a processor that has the instructions of `S`.
#[inline(always)]
unsafe fn blocks<E: Float, S: Simd<E>>(all: Dots<E>) {
    // Few rows of `a` stay in the first cache while all of `b` passes.
    let (mut row, mut col) = (0, 0);
    while row < all.rows {
        let rows = if all.rows - row >= BLOCK { BLOCK } else { (all.rows - row).min(2) };
        while col < all.cols {
            let cols = if all.cols - col >= BLOCK { BLOCK } else { 1 };
            // SAFETY: the caller's promise; the block lies in the result.
            unsafe {
                match (rows, cols) {
                    (1, 1) => block::<E, S, 1, 1>(&all, row, col),
                    (2, 1) => block::<E, S, 2, 1>(&all, row, col),
                    (_, 1) => block::<E, S, BLOCK, 1>(&all, row, col),
                    (1, _) => block::<E, S, 1, BLOCK>(&all, row, col),
                    (2, _) => block::<E, S, 2, BLOCK>(&all, row, col),
                    _ => block::<E, S, BLOCK, BLOCK>(&all, row, col),
                }
            }
            col += cols;
        }
        col = 0;
        row += rows;
    }
}

/// # Safety
/// As for [`blocks`]; the block of R rows and C columns lies in the result.
#[inline(always)]
unsafe fn block<E: Float, S: Simd<E>, const R: usize, const C: usize>(
    d: &Dots<E>,
    row: usize,
    col: usize,
) {
    // SAFETY: the caller's promise covers every element that is addressed.
    unsafe {
        let a: [*const E; R] = std::array::from_fn(|i| d.a.add((row + i) * d.a_row));
        let b: [*const E; C] = std::array::from_fn(|j| d.b.add(d.rows_of_b.offset(col + j)));
        let mut sums = [[S::zero(); C]; R];
        let whole = d.k - d.k % S::LANES;
        let mut q = 0;
        while q < whole {
            let y: [S::V; C] = std::array::from_fn(|j| S::load(b[j].add(q)));
            for i in 0..R {
                let x = S::load(a[i].add(q));
                for j in 0..C {
                    sums[i][j] = S::mul_add(x, y[j], sums[i][j]);
                }
            }
            q += S::LANES;
        }
        if q < d.k {
            let y: [S::V; C] = std::array::from_fn(|j| S::load_some(b[j].add(q), d.k - q));
            for i in 0..R {
                let x = S::load_some(a[i].add(q), d.k - q);
                for j in 0..C {
                    sums[i][j] = S::mul_add(x, y[j], sums[i][j]);
                }
            }
        }
        let sums = added::<E, S, R, C>(&sums);
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                let c = d.c.add((row + i) * d.c_row + col + j);
                *c = if d.add { *c + sum } else { sum };
            }
        }
    }
}

/// The sums of the lanes: of a whole block's vectors together, which takes fewer instructions.
///
/// # Safety
/// The processor must have the instructions of `S`.
#[inline(always)]
unsafe fn added<E: Float, S: Simd<E>, const R: usize, const C: usize>(
    vectors: &[[S::V; C]; R],
) -> [[E; C]; R] {
    let mut sums = [[E::ZERO; C]; R];
    // SAFETY: the caller's promise; groups of `LANES` vectors lie in the block.
    unsafe {
        if (R * C).is_multiple_of(S::LANES) {
            for group in (0..R * C).step_by(S::LANES) {
                let sum = S::sums(vectors.as_ptr().cast::<S::V>().add(group));
                S::store(sums.as_mut_ptr().cast::<E>().add(group), sum);
            }
        } else {
            for (sums, vectors) in sums.iter_mut().zip(vectors) {
                for (sum, &vector) in sums.iter_mut().zip(vectors) {
                    *sum = S::sum(vector);
                }
            }
        }
    }
    sums
}
