//! Products of small matrices, a tile of the result in registers at a time.
//!
//! The columns of the result run along the vectors; the right matrix is addressed row by row through
//! a table of offsets, which makes a convolution a product too. No element is summed in another order
//! than k's, so that the way a product is cut never changes a result.

use crate::cpu::simd::{Base, Level, Simd, for_each_level, level, same};
use crate::element::Float;

/// The most columns that a tile has in any instruction set and element type: what the rows of the right
/// matrix must be readable beyond the last column.
pub(super) const WIDTH: usize = 32;

/// `c[i][j] = sum over p of a[i * a_row + p * a_k] * b[offsets[p] + j]`, or added to `c`.
#[derive(Clone, Copy)]
pub(super) struct Product<E> {
    pub a: *const E,
    pub a_row: usize,
    pub a_k: usize,
    pub b: *const E,
    pub offsets: *const usize,
    pub c: *mut E,
    pub c_row: usize,
    pub rows: usize,
    pub cols: usize,
    pub k: usize,
    pub add: bool,
}

impl<E: 'static> Product<E> {
    /// The same product, where `T` is the same type as `E`.
    #[inline(always)]
    fn of<T: 'static>(self) -> Option<Product<T>> {
        same::<E, T>().then(|| Product {
            a: self.a.cast(),
            a_row: self.a_row,
            a_k: self.a_k,
            b: self.b.cast(),
            offsets: self.offsets,
            c: self.c.cast(),
            c_row: self.c_row,
            rows: self.rows,
            cols: self.cols,
            k: self.k,
            add: self.add,
        })
    }
}

/// Computes a product.
///
/// # Safety
/// The pointers must be good for all elements that the sizes address, and `b` for rows of a number of
/// columns that is a multiple of [`WIDTH`]. `c` must not overlap `a` or `b`.
pub(super) unsafe fn product<E: Float>(product: Product<E>) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(product) = product.of::<f32>() {
            product_f32(product);
        } else if let Some(product) = product.of::<f64>() {
            product_f64(product);
        } else {
            tiles::<E, Base>(product);
        }
    }
}

macro_rules! product_of {
    ($name:ident, $t:ty) => {
        /// # Safety
        /// As for [`product`].
        unsafe fn $name(product: Product<$t>) {
            #[cfg(target_arch = "x86_64")]
            {
                use crate::cpu::simd::{Avx2, Avx512};
                #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
                unsafe fn avx512(product: Product<$t>) {
                    // SAFETY: the caller's promise; this function has the instructions.
                    unsafe { tiles::<$t, Avx512>(product) }
                }
                #[target_feature(enable = "avx2,fma")]
                unsafe fn avx2(product: Product<$t>) {
                    // SAFETY: as above.
                    unsafe { tiles::<$t, Avx2>(product) }
                }
                match level() {
                    // SAFETY: the processor has the instructions; the rest is the caller's promise.
                    Level::Avx512 => return unsafe { avx512(product) },
                    // SAFETY: as above.
                    Level::Avx2 => return unsafe { avx2(product) },
                    Level::Base => {}
                }
            }
            // SAFETY: the caller's promise.
            unsafe { tiles::<$t, Base>(product) }
        }
    };
}
product_of!(product_f32, f32);
product_of!(product_f64, f64);

/// # Safety
/// As for [`product`], on a processor that has the instructions of `S`.
#[inline(always)]
unsafe fn tiles<E: Float, S: Simd<E>>(all: Product<E>) {
    let count = all.rows.div_ceil(S::ROWS).max(1);
    let height = all.rows.div_ceil(count);
    let mut row = 0;
    while row < all.rows {
        let rows = height.min(all.rows - row);
        // SAFETY: the rows lie in the matrices.
        let strip = unsafe {
            Product { a: all.a.add(row * all.a_row), c: all.c.add(row * all.c_row), rows, ..all }
        };
        // SAFETY: the caller's promise.
        unsafe {
            match rows {
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
        row += rows;
    }
}

/// # Safety
/// As for [`tiles`]; the product has `R` rows.
#[inline(always)]
unsafe fn strip_of<E: Float, S: Simd<E>, const R: usize>(strip: Product<E>) {
    let mut col = 0;
    while col < strip.cols {
        let cols = strip.cols - col;
        // SAFETY: the columns lie in the matrices.
        let rest = unsafe { Product { b: strip.b.add(col), c: strip.c.add(col), cols, ..strip } };
        // SAFETY: the caller's promise.
        unsafe {
            if cols > S::LANES {
                tile::<E, S, R, 2>(rest);
            } else {
                tile::<E, S, R, 1>(rest);
            }
        }
        col += 2 * S::LANES;
    }
}

/// One tile of R rows and V vectors.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn tile<E: Float, S: Simd<E>, const R: usize, const V: usize>(t: Product<E>) {
    // SAFETY: the caller's promise covers every element that is addressed here.
    unsafe {
        let mut sums = [[S::zero(); V]; R];
        let mut a = t.a;
        for p in 0..t.k {
            let b = t.b.add(*t.offsets.add(p));
            let row: [S::V; V] = std::array::from_fn(|v| S::load(b.add(v * S::LANES)));
            for (i, sums) in sums.iter_mut().enumerate() {
                let x = S::splat(*a.add(i * t.a_row));
                for (sum, &y) in sums.iter_mut().zip(&row) {
                    *sum = S::mul_add(x, y, *sum);
                }
            }
            a = a.add(t.a_k);
        }
        store::<E, S, R, V>(&t, &sums);
    }
}

/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn store<E: Float, S: Simd<E>, const R: usize, const V: usize>(
    t: &Product<E>,
    sums: &[[S::V; V]; R],
) {
    // SAFETY: the caller's promise; a narrow tile goes through memory of its own.
    unsafe {
        let whole = t.cols >= V * S::LANES;
        for (i, sums) in sums.iter().enumerate() {
            let c = t.c.add(i * t.c_row);
            let mut row = [E::ZERO; WIDTH];
            let target = if whole && !t.add { c } else { row.as_mut_ptr() };
            for (v, &lanes) in sums.iter().enumerate() {
                S::store(target.add(v * S::LANES), lanes);
            }
            if whole && !t.add {
                continue;
            }
            for (j, &sum) in row.iter().enumerate().take(t.cols.min(V * S::LANES)) {
                *c.add(j) = if t.add { *c.add(j) + sum } else { sum };
            }
        }
    }
}

/// Copies `cols` columns of a matrix into a panel of rows of [`WIDTH`] columns, padded with zeros.
/// Element (p, j) of the matrix is `b[p * b_k + j * b_col]`.
///
/// # Safety
/// `b` must be good for the elements that are addressed, `panel` for `k * WIDTH`.
pub(super) unsafe fn pack<E: Float>(
    b: *const E,
    b_k: usize,
    b_col: usize,
    k: usize,
    cols: usize,
    panel: *mut E,
) {
    for_each_level!(level(), [E: Float] [E], pack_body, (
        b: *const E, b_k: usize, b_col: usize, k: usize, cols: usize, panel: *mut E,
    ));
}

/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn pack_body<E: Float>(
    b: *const E,
    b_k: usize,
    b_col: usize,
    k: usize,
    cols: usize,
    panel: *mut E,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if b_col == 1 && cols == WIDTH {
            for p in 0..k {
                panel.add(p * WIDTH).copy_from_nonoverlapping(b.add(p * b_k), WIDTH);
            }
            return;
        }
        for p in 0..k {
            for j in 0..cols {
                *panel.add(p * WIDTH + j) = *b.add(p * b_k + j * b_col);
            }
            for j in cols..WIDTH {
                *panel.add(p * WIDTH + j) = E::ZERO;
            }
        }
    }
}
