//! How products are cut into blocks, the tasks of a job. By sizes only, never by threads.

use std::ops::Range;

use super::multiply::{FEW_ROWS, Matrix, Method, PackStrips, Strips, parts};
use super::tile::WIDTH;
use super::{InnerLoops, TASK_PRODUCTS, units_per_task};
use crate::cpu::pool::Pool;
use crate::cpu::run::Ptr;
use crate::cpu::scratch::{self, lines};
use crate::device::MatmulDims;
use crate::element::Float;

/// Multiply-adds from which the left matrix is packed once for all blocks, by a job of its own.
const SHARED: usize = if cfg!(test) { 1 << 20 } else { 1 << 23 };
/// The most elements of the left matrix that are packed together.
const SHARED_ELEMENTS: usize = if cfg!(test) { 1 << 18 } else { 1 << 20 };
/// Rows of a block of the result: with some columns of the left matrix they stay in the second cache.
const ROWS: usize = 11 * STRIP;
/// A multiple of the rows of a tile, in any instruction set.
const STRIP: usize = 24;
/// The most panels of columns of a block that has work enough for a task.
const PANELS: usize = 4;
/// Blocks that a large product is cut into, where its sizes allow that: for as many threads.
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
        let cols = WIDTH * panels;
        // Products of a batch are blocks enough, and would wait for each other.
        let large = if batch > 1 { 8 * SHARED } else { SHARED };
        let is_shared = work >= large && m > FEW_ROWS && method == Method::Tiles;
        let together = SHARED_ELEMENTS / k.max(1) / rows * rows;
        let shared = Some(together.min(m)).filter(|&together| is_shared && together > 0);
        Cut { rows, cols, products: 1, shared }
    }
}

/// Some rows and columns of some products.
pub(super) struct Block {
    pub products: Range<usize>,
    pub row: usize,
    pub rows: usize,
    pub col: usize,
    pub cols: usize,
}

impl Cut {
    /// Block number `index` of those from a row on, of some products of the sizes [m, n].
    fn block(&self, [m, n]: [usize; 2], products: Range<usize>, row: usize, index: usize) -> Block {
        let across = self.across(n);
        let (row, col) = (row + index / across * self.rows, index % across * self.cols);
        Block { products, row, rows: self.rows.min(m - row), col, cols: self.cols.min(n - col) }
    }

    /// Blocks beside each other.
    fn across(&self, n: usize) -> usize {
        n.div_ceil(self.cols).max(1)
    }
}

/// The strips that a block's rows are in, and the block's first row among these.
pub(super) type Within<E> = Option<(Strips<E>, usize)>;

/// Cuts products into blocks and calls `task` for each. `left` gives the left matrices.
///
/// The closures are not generic, so that this is compiled once for each type of elements and not for each epilogue.
pub(super) fn for_each_block<E: Float>(
    pool: &Pool,
    dims: &MatmulDims,
    method: Method,
    left: &(dyn Fn(usize) -> Matrix<E> + Sync),
    task: &(dyn Fn(Block, Within<E>) + Sync),
) {
    let MatmulDims { batch, m, n, .. } = *dims;
    let cut = Cut::new(dims, method);
    if let Some(together) = cut.shared {
        for_each_with_strips(pool, dims, &cut, together, left, task);
        return;
    }
    let blocks = m.div_ceil(cut.rows).max(1) * cut.across(n);
    pool.run(batch.div_ceil(cut.products) * blocks, |i| {
        let first = i / blocks * cut.products;
        let products = first..(first + cut.products).min(batch);
        task(cut.block([m, n], products, 0, i % blocks), None);
    });
}

/// Packs `together` rows of a left matrix at a time, a task for each block's rows and part of the depth, and calls
/// `task` for the blocks that use them.
fn for_each_with_strips<E: Float>(
    pool: &Pool,
    dims: &MatmulDims,
    cut: &Cut,
    together: usize,
    left: &(dyn Fn(usize) -> Matrix<E> + Sync),
    task: &(dyn Fn(Block, Within<E>) + Sync),
) {
    let MatmulDims { batch, m, n, k, .. } = *dims;
    let len = Strips::<E>::len(together, k);
    scratch::with(lines::<E>(len), |mut scratch| {
        let first = Ptr(scratch.take::<E>(len).as_mut_ptr());
        let groups = (0..batch).flat_map(|i| (0..m).step_by(together).map(move |row| (i, row)));
        for (i, row) in groups {
            let rows = together.min(m - row);
            let strips = || Strips { first: first.get(), rows };
            let down = rows.div_ceil(cut.rows);
            pool.run(down * parts(k), |task| {
                let (from, part) = (task % down * cut.rows, task / down);
                let (a, strips) = (left(i).from(row, 0), strips());
                let rows = cut.rows.min(rows - from);
                let pack = PackStrips { a, rows, row: from, k, part, strips };
                // SAFETY: the span holds the matrix, and each task has strips of its own.
                unsafe { E::Loops::pack_strips(pack) };
            });
            pool.run(down * cut.across(n), |index| {
                let block = cut.block([m, n], i..i + 1, row, index);
                let from = block.row - row;
                task(block, Some((strips(), from)));
            });
        }
    });
}
