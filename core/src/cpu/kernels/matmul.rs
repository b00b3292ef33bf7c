//! Products of matrices, with a fused epilogue.
//!
//! Two ways of our own: dot products where both matrices are stored along k (a layer's x and weight), tiles
//! elsewhere. They allocate nothing and keep up with matrixmultiply at all sizes; that is left for
//! processors whose vectors we have no kernels for, where the product is large.

use std::sync::atomic::{AtomicU64, Ordering};

use super::dot::{Dots, Rows, dots};
use super::inputs::Inputs;
use super::map::{finish, place_of_sums};
use super::tile::{Product, WIDTH, pack, product};
use super::{TASK_PRODUCTS, units_per_task};
use crate::cpu::run::{CpuRun, disjoint, separate, sized};
use crate::cpu::scratch::{self, Scratch, lines};
use crate::cpu::simd::{Level, level};
use crate::device::{Arg, MatmulDims, Span};
use crate::element::Float;

static GEMM_CALLS: AtomicU64 = AtomicU64::new(0);

/// How often matrixmultiply has been called.
pub(crate) fn gemm_calls() -> u64 {
    GEMM_CALLS.load(Ordering::Relaxed)
}

/// Multiply-adds from which matrixmultiply beats a kernel without vectors, in spite of its allocation.
const LARGE: usize = 1 << 16;
/// Rows of the right matrix that are packed together: a panel of them stays in the second cache.
const DEPTH: usize = 512;
/// Rows of the result up to which the right matrix is used where it lies.
const FEW_ROWS: usize = 16;

/// How a product is computed.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    Dots,
    Tiles,
    Gemm,
}

fn method(dims: &MatmulDims) -> Method {
    let MatmulDims { m, n, k, .. } = *dims;
    if level() == Level::Base && m * n * k > LARGE && m.min(n).min(k) >= 4 {
        Method::Gemm
    } else if !dims.transpose_a && dims.transpose_b && k >= 16 {
        Method::Dots
    } else {
        Method::Tiles
    }
}

/// A matrix: element (i, j) is at `first + i * row + j * col`.
#[derive(Clone, Copy)]
struct Matrix<E> {
    first: *const E,
    row: usize,
    col: usize,
}

impl<E> Matrix<E> {
    fn new(first: *const E, transposed: bool, rows: usize, cols: usize) -> Self {
        let (row, col) = if transposed { (1, rows) } else { (cols, 1) };
        Matrix { first, row, col }
    }

    fn from(self, i: usize, j: usize) -> Self {
        Matrix { first: self.first.wrapping_add(i * self.row + j * self.col), ..self }
    }
}

/// How a product is cut: blocks of rows or of columns of one product, or several products.
struct Cut {
    rows: usize,
    cols: usize,
    products: usize,
}

impl Cut {
    fn new(dims: &MatmulDims) -> Self {
        let MatmulDims { batch, m, n, k, .. } = *dims;
        let work = m * n * k;
        let whole = Cut { rows: m, cols: n, products: 1 };
        if work < 2 * TASK_PRODUCTS {
            let products = units_per_task(batch, work.saturating_mul(batch), TASK_PRODUCTS);
            return Cut { products, ..whole };
        }
        // Blocks of whole tiles along the longer side.
        if m >= n {
            Cut { rows: 8 * units_per_task(m.div_ceil(8), work, TASK_PRODUCTS), ..whole }
        } else {
            Cut { cols: WIDTH * units_per_task(n.div_ceil(WIDTH), work, TASK_PRODUCTS), ..whole }
        }
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn matmul<E: Float, const M: usize, const N: usize, const C: usize>(
    run: &CpuRun<'_, E>,
    outs: [Span; M],
    a: Span,
    b: Span,
    dims: MatmulDims,
    args: [Arg; N],
    consts: [E; C],
    epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
) {
    let MatmulDims { batch, m, n, k, stride_a, stride_b, .. } = dims;
    if batch * m * n == 0 {
        return;
    }
    sized(a, (batch - 1) * stride_a + m * k);
    sized(b, (batch - 1) * stride_b + k * n);
    for out in outs {
        sized(out, batch * m * n);
        disjoint(out, a);
        disjoint(out, b);
    }
    separate(&outs);
    let inputs = Inputs::new(run, [1, batch, m, n], args, &outs);
    let (a, b, targets) = (run.read(a), run.read(b), outs.map(|out| run.write(out)));
    let place = place_of_sums(&outs, &args).map(|j| targets[j]);
    let (method, cut) = (method(&dims), Cut::new(&dims));
    let (down, across) = (m.div_ceil(cut.rows).max(1), n.div_ceil(cut.cols).max(1));
    let blocks = down * across;
    run.pool.run(batch.div_ceil(cut.products) * blocks, |task| {
        let (group, block) = (task / blocks, task % blocks);
        let (row, col) = (block / across * cut.rows, block % across * cut.cols);
        let (rows, cols) = (cut.rows.min(m - row), cut.cols.min(n - col));
        let sums_len = if place.is_none() { rows * cols } else { 0 };
        let needed = lines::<E>(sums_len) + scratch_lines::<E>(method, k);
        let products = group * cut.products..((group + 1) * cut.products).min(batch);
        scratch::with(needed, |mut scratch| {
            let sums = scratch.take::<E>(sums_len).as_mut_ptr();
            let mut room = Room::new(method, k, &mut scratch);
            for i in products {
                let a = a.get().cast_const().wrapping_add(i * stride_a);
                let b = b.get().cast_const().wrapping_add(i * stride_b);
                let a = Matrix::new(a, dims.transpose_a, m, k).from(row, 0);
                let b = Matrix::new(b, dims.transpose_b, k, n).from(0, col);
                let start = (i * m + row) * n + col;
                let (c, c_row) = match place {
                    None => (sums, cols),
                    Some(place) => (place.get().wrapping_add(start), n),
                };
                // SAFETY: the spans hold all elements that the sizes address, and the blocks of the
                // tasks do not overlap; `finish` gets the rows of this block.
                unsafe {
                    multiply(method, a, b, c, c_row, [rows, cols, k], &mut room);
                    if cols == n {
                        let end = start + rows * n;
                        finish(c, targets, start, end, &inputs, consts, epilogue);
                    } else {
                        for r in 0..rows {
                            let start = start + r * n;
                            let sums = c.add(r * c_row);
                            finish(sums, targets, start, start + cols, &inputs, consts, epilogue);
                        }
                    }
                }
            }
        });
    });
}

/// Memory to pack into.
struct Room<'a, E> {
    panel: &'a mut [E],
    offsets: &'a mut [usize],
}

fn scratch_lines<E>(method: Method, k: usize) -> usize {
    match method {
        Method::Tiles => lines::<E>(k.min(DEPTH) * WIDTH) + lines::<usize>(k.min(DEPTH)),
        Method::Dots | Method::Gemm => 0,
    }
}

impl<'a, E: Float> Room<'a, E> {
    fn new(method: Method, k: usize, scratch: &mut Scratch<'a>) -> Self {
        let depth = if method == Method::Tiles { k.min(DEPTH) } else { 0 };
        Room { panel: scratch.take(depth * WIDTH), offsets: scratch.take_offsets(depth) }
    }
}

/// `c = a @ b`, of the sizes [rows, cols, k].
///
/// # Safety
/// The matrices must hold the elements that the sizes address; `c` must not overlap the others.
unsafe fn multiply<E: Float>(
    method: Method,
    a: Matrix<E>,
    b: Matrix<E>,
    c: *mut E,
    c_row: usize,
    [rows, cols, k]: [usize; 3],
    room: &mut Room<'_, E>,
) {
    match method {
        // SAFETY: the caller's promise, here and below.
        Method::Dots => unsafe {
            dots(Dots {
                a: a.first,
                a_row: a.row,
                b: b.first,
                rows_of_b: Rows::Every(b.col),
                c,
                c_row,
                rows,
                cols,
                k,
                add: false,
            });
        },
        // SAFETY: as above.
        Method::Tiles => unsafe { in_tiles(a, b, c, c_row, [rows, cols, k], room) },
        Method::Gemm => {
            GEMM_CALLS.fetch_add(1, Ordering::Relaxed);
            let strides = |m: Matrix<E>| (m.row as isize, m.col as isize);
            // SAFETY: as above; beta is 0, so that `c` is not read.
            unsafe {
                E::gemm(
                    rows,
                    k,
                    cols,
                    E::ONE,
                    a.first,
                    strides(a),
                    b.first,
                    strides(b),
                    E::ZERO,
                    c,
                    (c_row as isize, 1),
                );
            }
        }
    }
}

/// `c = a @ b` a panel of columns at a time; the panel is packed unless few rows use it.
///
/// # Safety
/// As for [`multiply`].
unsafe fn in_tiles<E: Float>(
    a: Matrix<E>,
    b: Matrix<E>,
    c: *mut E,
    c_row: usize,
    [rows, cols, k]: [usize; 3],
    room: &mut Room<'_, E>,
) {
    let direct = if b.col == 1 && rows <= FEW_ROWS { cols - cols % WIDTH } else { 0 };
    let mut p = 0;
    loop {
        let depth = DEPTH.min(k - p);
        let a = a.from(0, p);
        let part = |b: *const E, col: usize, cols: usize, offsets: &[usize]| Product {
            a: a.first,
            a_row: a.row,
            a_k: a.col,
            b,
            offsets: offsets.as_ptr(),
            c: c.wrapping_add(col),
            c_row,
            rows,
            cols,
            k: depth,
            add: p > 0,
        };
        if direct > 0 {
            (0..depth).for_each(|i| room.offsets[i] = i * b.row);
            // SAFETY: the caller's promise; whole panels are read.
            unsafe { product(part(b.from(p, 0).first, 0, direct, room.offsets)) };
        }
        (0..depth).for_each(|i| room.offsets[i] = i * WIDTH);
        for col in (direct..cols).step_by(WIDTH) {
            let width = WIDTH.min(cols - col);
            let panel = room.panel.as_mut_ptr();
            // SAFETY: the caller's promise; the panel has `depth` rows.
            unsafe {
                pack(b.from(p, col).first, b.row, b.col, depth, width, panel);
                product(part(panel, col, width, room.offsets));
            }
        }
        p += depth;
        if p >= k {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The processor that runs the tests may never choose some of the methods by itself.
    #[test]
    fn all_methods_agree() {
        let [rows, cols, k] = [13, 37, 29];
        let a: Vec<f64> = (0..rows * k).map(|i| (i * 7 % 23) as f64 - 11.0).collect();
        let b: Vec<f64> = (0..cols * k).map(|i| (i * 5 % 19) as f64 - 9.0).collect();
        let results = [Method::Dots, Method::Tiles, Method::Gemm].map(|method| {
            let mut c = vec![0.0; rows * cols];
            scratch::with(scratch_lines::<f64>(method, k), |mut scratch| {
                let mut room = Room::new(method, k, &mut scratch);
                let a = Matrix::new(a.as_ptr(), false, rows, k);
                let b = Matrix::new(b.as_ptr(), true, k, cols);
                let sizes = [rows, cols, k];
                // SAFETY: the vectors have these sizes.
                unsafe { multiply(method, a, b, c.as_mut_ptr(), cols, sizes, &mut room) };
            });
            c
        });
        assert_eq!(results[0], results[1]);
        assert_eq!(results[1], results[2]);
        assert!(gemm_calls() > 0);
    }
}
