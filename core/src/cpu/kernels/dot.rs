//! Products of matrices that are both stored along the summed axis, such as x [m, k] and a weight [n, k]:
//! every element of the result is the dot product of two rows, and nothing has to be packed.

use crate::cpu::simd::{Base, Level, Simd, level, same};
use crate::element::Float;

/// `c[i][j] = sum over q of a[i * a_row + q] * b[offset(j) + q]`, or added to `c`.
#[derive(Clone, Copy)]
pub(super) struct Dots<E> {
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
pub(super) enum Rows {
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

impl<E: 'static> Dots<E> {
    /// The same product, where `T` is the same type as `E`.
    #[inline(always)]
    fn of<T: 'static>(self) -> Option<Dots<T>> {
        same::<E, T>().then(|| Dots {
            a: self.a.cast(),
            a_row: self.a_row,
            b: self.b.cast(),
            rows_of_b: self.rows_of_b,
            c: self.c.cast(),
            c_row: self.c_row,
            rows: self.rows,
            cols: self.cols,
            k: self.k,
            add: self.add,
        })
    }
}

/// Computes the dot products.
///
/// # Safety
/// The pointers must be good for all elements that the sizes address; `c` must not overlap `a` or `b`.
pub(super) unsafe fn dots<E: Float>(dots: Dots<E>) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(dots) = dots.of::<f32>() {
            dots_f32(dots);
        } else if let Some(dots) = dots.of::<f64>() {
            dots_f64(dots);
        } else {
            blocks::<E, Base>(dots);
        }
    }
}

macro_rules! dots_of {
    ($name:ident, $t:ty) => {
        /// # Safety
        /// As for [`dots`].
        unsafe fn $name(dots: Dots<$t>) {
            #[cfg(target_arch = "x86_64")]
            {
                use crate::cpu::simd::{Avx2, Avx512};
                #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
                unsafe fn avx512(dots: Dots<$t>) {
                    // SAFETY: the caller's promise; this function has the instructions.
                    unsafe { blocks::<$t, Avx512>(dots) }
                }
                #[target_feature(enable = "avx2,fma")]
                unsafe fn avx2(dots: Dots<$t>) {
                    // SAFETY: as above.
                    unsafe { blocks::<$t, Avx2>(dots) }
                }
                match level() {
                    // SAFETY: the processor has the instructions; the rest is the caller's promise.
                    Level::Avx512 => return unsafe { avx512(dots) },
                    // SAFETY: as above.
                    Level::Avx2 => return unsafe { avx2(dots) },
                    Level::Base => {}
                }
            }
            // SAFETY: the caller's promise.
            unsafe { blocks::<$t, Base>(dots) }
        }
    };
}
dots_of!(dots_f32, f32);
dots_of!(dots_f64, f64);

/// The rows and columns of a block.
const BLOCK: usize = 4;

/// # Safety
/// As for [`dots`], on a processor that has the instructions of `S`.
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
    // SAFETY: the caller's promise covers every element that is addressed; the last, incomplete vectors
    // go through zeroed memory.
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
            let y: [S::V; C] = std::array::from_fn(|j| partial::<E, S>(b[j].add(q), d.k - q));
            for i in 0..R {
                let x = partial::<E, S>(a[i].add(q), d.k - q);
                for j in 0..C {
                    sums[i][j] = S::mul_add(x, y[j], sums[i][j]);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, &lanes) in sums.iter().enumerate() {
                let c = d.c.add((row + i) * d.c_row + col + j);
                let sum = S::sum(lanes);
                *c = if d.add { *c + sum } else { sum };
            }
        }
    }
}

/// A vector of `count` elements, the rest zero.
///
/// # Safety
/// `p` must be good for `count` elements, fewer than a vector has.
#[inline(always)]
unsafe fn partial<E: Float, S: Simd<E>>(p: *const E, count: usize) -> S::V {
    let mut lanes = [E::ZERO; 16];
    for (i, lane) in lanes.iter_mut().enumerate().take(count) {
        // SAFETY: the caller's promise.
        *lane = unsafe { *p.add(i) };
    }
    // SAFETY: no vector has more than 16 lanes.
    unsafe { S::load(lanes.as_ptr()) }
}
