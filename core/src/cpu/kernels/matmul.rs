//! Products of matrices, with a fused epilogue.
//!
//! Two ways of our own: dot products for few samples where both matrices are stored along k (a layer's x and weight),
//! tiles elsewhere. They allocate nothing; matrixmultiply is left for processors whose vectors we have no kernels for,
//! where the product is large.

use std::ops::Range;

use super::inputs::Inputs;
use super::map::{finish, place_of_sums};
use super::multiply::{Matrix, Method, Multiply, PackStrips, Room, Strips, parts};
use super::tile::WIDTH;
use super::{TASK_PRODUCTS, units_per_task};
use crate::cpu::run::{CpuRun, Ptr, disjoint, separate, sized};
use crate::cpu::scratch::{self, lines};
use crate::device::{Arg, MatmulDims, Span};
use crate::element::Float;

/// Multiply-adds from which the left matrix is packed once for all blocks, by a job of its own.
const SHARED: usize = 1 << 23;
/// The most elements of the left matrix that are packed together.
const SHARED_ELEMENTS: usize = 1 << 20;
/// Rows of a block of the result: with some columns of the left matrix they stay in the second cache.
const ROWS: usize = 11 * STRIP;
/// A multiple of the rows of a tile, in any instruction set.
const STRIP: usize = 24;
/// The most panels of columns of a block.
const PANELS: usize = 4;
/// Blocks that a large product is cut into at least, for that many threads.
const BLOCKS: usize = 16;

/// How products are cut: blocks of rows or of columns of one product, or several products.
struct Cut {
    rows: usize,
    cols: usize,
    products: usize,
    /// The rows of the left matrix that are packed together, where the blocks share them.
    shared: Option<usize>,
}

impl Cut {
    fn new(dims: &MatmulDims, method: Method) -> Self {
        let MatmulDims { batch, m, n, k, .. } = *dims;
        let work = m * n * k;
        let whole = Cut { rows: m, cols: n, products: 1, shared: None };
        if work < 2 * TASK_PRODUCTS {
            let products = units_per_task(batch, work.saturating_mul(batch), TASK_PRODUCTS);
            return Cut { products, ..whole };
        }
        let panels = n.div_ceil(WIDTH);
        if panels < PANELS && m >= n {
            return Cut {
                rows: STRIP * units_per_task(m.div_ceil(STRIP), work, TASK_PRODUCTS),
                ..whole
            };
        }
        // Blocks of many rows, which share a panel, and of as many columns as leave enough blocks.
        let down = m.div_ceil(ROWS);
        let least = units_per_task(panels, work / down, TASK_PRODUCTS);
        let panels = (panels * down / BLOCKS).clamp(1, PANELS).max(least);
        let rows = m.div_ceil(down).next_multiple_of(STRIP);
        let together = (SHARED_ELEMENTS / k.max(1) / rows).max(1) * rows;
        let shared = (work >= SHARED && method == Method::Tiles).then_some(together.min(m));
        Cut { rows, cols: WIDTH * panels, products: 1, shared }
    }
}

/// Some rows and columns of some products.
struct Block {
    products: Range<usize>,
    row: usize,
    rows: usize,
    col: usize,
    cols: usize,
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
    epilogue: Option<impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync>,
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
    let method = Method::of(&dims);
    let left = |i: usize| {
        let a = a.get().cast_const().wrapping_add(i * stride_a);
        Matrix::new(a, dims.transpose_a, m, k)
    };
    let right = |i: usize| {
        let b = b.get().cast_const().wrapping_add(i * stride_b);
        Matrix::new(b, dims.transpose_b, k, n)
    };
    for_each_block(run, &dims, method, left, |block, strips| {
        let Block { products, row, rows, col, cols } = block;
        let sums_len = if place.is_none() { rows * cols } else { 0 };
        let sizes = [rows, cols, k];
        let packed = strips.is_some();
        let needed = lines::<E>(sums_len) + Room::<E>::lines(method, sizes, packed);
        scratch::with(needed, |mut scratch| {
            let sums = scratch.take::<E>(sums_len).as_mut_ptr();
            let mut room = Room::new(method, sizes, packed, &mut scratch);
            for i in products {
                let (a, b) = (left(i).from(row, 0), right(i).from(0, col));
                let start = (i * m + row) * n + col;
                let (c, c_row) = match place {
                    None => (sums, cols),
                    Some(place) => (place.get().wrapping_add(start), n),
                };
                // SAFETY: the spans hold all elements that the sizes address, and the blocks of the
                // tasks do not overlap; `finish` gets the rows of this block.
                unsafe {
                    let room = &mut room;
                    E::multiply(Multiply { method, a, b, c, c_row, sizes, strips, room });
                    // Without inputs of an epilogue the sums have their place in the only output.
                    let Some(epilogue) = epilogue else { continue };
                    let (step, len) = if cols == n { (rows, rows * n) } else { (1, cols) };
                    for r in (0..rows).step_by(step) {
                        let (start, sums) = (start + r * n, c.add(r * c_row));
                        finish(sums, targets, start, start + len, &inputs, consts, epilogue);
                    }
                }
            }
        });
    });
}

/// Cuts products into blocks and calls `task` for each, with the rows of the left matrix where they are packed, and the
/// block's first row among these.
fn for_each_block<E: Float>(
    run: &CpuRun<'_, E>,
    dims: &MatmulDims,
    method: Method,
    left: impl Fn(usize) -> Matrix<E> + Sync,
    task: impl Fn(Block, Option<(Strips<E>, usize)>) + Sync,
) {
    let MatmulDims { batch, m, n, k, .. } = *dims;
    let cut = Cut::new(dims, method);
    let across = n.div_ceil(cut.cols).max(1);
    let block = |products: Range<usize>, row: usize, index: usize| {
        let (row, col) = (row + index / across * cut.rows, index % across * cut.cols);
        Block { products, row, rows: cut.rows.min(m - row), col, cols: cut.cols.min(n - col) }
    };
    let Some(together) = cut.shared else {
        let blocks = m.div_ceil(cut.rows).max(1) * across;
        run.pool.run(batch.div_ceil(cut.products) * blocks, |i| {
            let first = i / blocks * cut.products;
            task(block(first..(first + cut.products).min(batch), 0, i % blocks), None);
        });
        return;
    };
    scratch::with(lines::<E>(Strips::<E>::len(together, k)), |mut scratch| {
        let packed = scratch.take::<E>(Strips::<E>::len(together, k));
        let first = Ptr(packed.as_mut_ptr());
        for i in 0..batch {
            for row in (0..m).step_by(together) {
                let rows = together.min(m - row);
                let strips = || Strips { first: first.get(), rows };
                let down = rows.div_ceil(cut.rows);
                run.pool.run(down * parts(k), |task| {
                    let (from, part) = (task % down * cut.rows, task / down);
                    let (a, strips) = (left(i).from(row, 0), strips());
                    let rows = cut.rows.min(rows - from);
                    // SAFETY: the span holds the matrix, and each task has strips of its own.
                    unsafe { E::pack_strips(PackStrips { a, rows, row: from, k, part, strips }) };
                });
                run.pool.run(down * across, |index| {
                    let block = block(i..i + 1, row, index);
                    let from = block.row - row;
                    task(block, Some((strips(), from)));
                });
            }
        }
    });
}
