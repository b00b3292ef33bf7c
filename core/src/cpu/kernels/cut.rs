//! How products are cut into blocks, the tasks of a job. By sizes only, never by threads.

use std::ops::Range;

use super::method::{FEW_ROWS, Method};
use super::packed::{Along, Matrix, PackStrips, Packed, Strips};
use super::tile::WIDTH;
use super::{InnerLoops, TASK_PRODUCTS, units_per_task};
use crate::cpu::pool::Pool;
use crate::cpu::run::Ptr;
use crate::cpu::scratch::{self, lines};
use crate::device::MatmulDims;
use crate::element::Float;

/// Rows of a block of the result: with some columns of the left matrix they stay in the second cache.
const ROWS: usize = 11 * 24;
/// The most panels of columns of a block that has work enough for a task.
const PANELS: usize = 4;
/// Blocks that a large product is cut into, where its sizes allow that: for as many threads.
const BLOCKS: usize = 16;

/// How products are cut: blocks of rows or of columns of one product, or several products.
struct Cut {
    rows: usize,
    cols: usize,
    products: usize,
    /// The rows of the left matrix, and columns of the right one, that are packed together, where blocks share them.
    shared: Option<[usize; 2]>,
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
        let (panels, strip) = (n.div_ceil(WIDTH), method.strip());
        if panels < PANELS && m >= n {
            return Cut {
                rows: strip * units_per_task(m.div_ceil(strip), work, TASK_PRODUCTS),
                ..whole
            };
        }
        // Blocks of many rows, which share a panel, and of as many columns as leave enough blocks.
        let down = m.div_ceil(ROWS);
        let least = units_per_task(panels, work / down, TASK_PRODUCTS);
        let panels = (panels * down / BLOCKS).clamp(1, PANELS).max(least);
        let rows = m.div_ceil(down).next_multiple_of(strip);
        let cols = WIDTH * panels;
        // Products of a batch are blocks enough, and would wait for each other.
        let large = method.shared_from() * if batch > 1 { 8 } else { 1 };
        let is_shared = work >= large && m > FEW_ROWS;
        let most = method.shared_elements() / k.max(1);
        let together = |lines: usize, block: usize| (most / block * block).min(lines);
        let together =
            [together(m, rows), if method.packs_columns() { together(n, cols) } else { n }];
        let shared = Some(together).filter(|&lines| is_shared && !lines.contains(&0));
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
    /// The blocks of a product of the sizes [m, n].
    fn blocks(&self, [m, n]: [usize; 2]) -> usize {
        m.div_ceil(self.rows).max(1) * self.across(n)
    }

    /// Block number `index` of some products of the sizes [m, n].
    fn block(&self, [m, n]: [usize; 2], products: Range<usize>, index: usize) -> Block {
        let across = self.across(n);
        let (row, col) = (index / across * self.rows, index % across * self.cols);
        Block { products, row, rows: self.rows.min(m - row), col, cols: self.cols.min(n - col) }
    }

    /// Blocks beside each other.
    fn across(&self, n: usize) -> usize {
        n.div_ceil(self.cols).max(1)
    }
}

/// Cuts products into blocks and calls `task` for each. `left` and `right` give the matrices.
///
/// The closures are not generic, so that this is compiled once for each type of elements and not for each epilogue.
pub(super) fn for_each_block<E: Float>(
    pool: &Pool,
    dims: &MatmulDims,
    method: Method,
    matrices: [&(dyn Fn(usize) -> Matrix<E> + Sync); 2],
    task: &(dyn Fn(Block, Option<Packed<E>>) + Sync),
) {
    let MatmulDims { batch, m, n, .. } = *dims;
    let cut = Cut::new(dims, method);
    if let Some(together) = cut.shared {
        for_each_packed(pool, dims, method, &cut, together, matrices, task);
        return;
    }
    let blocks = cut.blocks([m, n]);
    pool.run(batch.div_ceil(cut.products) * blocks, |i| {
        let first = i / blocks * cut.products;
        let products = first..(first + cut.products).min(batch);
        task(cut.block([m, n], products, i % blocks), None);
    });
}

/// The lines of a matrix that are packed together.
struct Group<'a, E> {
    along: Along,
    matrix: &'a (dyn Fn(usize) -> Matrix<E> + Sync),
    /// Which of the batch.
    index: usize,
    /// The first line, and how many there are.
    first: usize,
    lines: usize,
    k: usize,
    /// Where they are packed to.
    to: Ptr<E>,
    method: Method,
    /// The lines of a task.
    step: usize,
}

impl<E: Float> Group<'_, E> {
    fn strips(&self) -> Strips<E> {
        Strips { method: self.method, first: self.to.get(), lines: self.lines }
    }

    /// A task for some lines and one part of the depth.
    fn tasks(&self) -> usize {
        self.lines.div_ceil(self.step) * self.method.parts(self.k)
    }

    fn pack(&self, task: usize) {
        let down = self.lines.div_ceil(self.step);
        let (line, part) = (task % down * self.step, task / down);
        let matrix = (self.matrix)(self.index);
        let matrix = match self.along {
            Along::Rows => matrix.from(self.first, 0),
            Along::Cols => matrix.from(0, self.first),
        };
        let (lines, strips) = (self.step.min(self.lines - line), self.strips());
        let Group { along, k, .. } = *self;
        // SAFETY: the span holds the matrix, and each task has strips of its own.
        unsafe {
            E::Loops::pack_strips(PackStrips { along, matrix, lines, line, k, part, strips })
        };
    }
}

/// Packs `together` rows of a left matrix, and columns of a right one, at a time, and calls `task` for the blocks that
/// use them.
fn for_each_packed<E: Float>(
    pool: &Pool,
    dims: &MatmulDims,
    method: Method,
    cut: &Cut,
    together: [usize; 2],
    matrices: [&(dyn Fn(usize) -> Matrix<E> + Sync); 2],
    task: &(dyn Fn(Block, Option<Packed<E>>) + Sync),
) {
    let MatmulDims { batch, m, n, k, .. } = *dims;
    let packs_columns = method.packs_columns();
    let columns = if packs_columns { together[1] } else { 0 };
    let lens = [together[0], columns].map(|lines| method.strips(lines, k));
    let step = method.lines_per_task(cut.rows, k);
    scratch::with(lens.map(lines::<E>).iter().sum(), |mut scratch| {
        let to = lens.map(|len| Ptr(scratch.take::<E>(len).as_mut_ptr()));
        let group = |along: Along, index, first| {
            let i = along as usize;
            let lines = together[i].min([m, n][i] - first);
            Group { along, matrix: matrices[i], index, first, lines, k, to: to[i], method, step }
        };
        for (i, col) in (0..batch).flat_map(|i| steps(n, together[1]).map(move |col| (i, col))) {
            for row in steps(m, together[0]) {
                let (rows, cols) = (group(Along::Rows, i, row), group(Along::Cols, i, col));
                let tasks = rows.tasks();
                // The columns stay for all rows.
                let others = if packs_columns && row == 0 { cols.tasks() } else { 0 };
                // Of both an equal share for each thread, which begins with the rows that it will use.
                pool.run(tasks + others, |task| {
                    let [row, next] = [task, task + 1].map(|task| task * tasks / (tasks + others));
                    if next > row { rows.pack(row) } else { cols.pack(task - row) }
                });
                let sizes = [rows.lines, cols.lines];
                pool.run(cut.blocks(sizes), |index| {
                    let block = cut.block(sizes, i..i + 1, index);
                    let packed = Packed {
                        rows: (rows.strips(), block.row),
                        cols: packs_columns.then(|| (cols.strips(), block.col)),
                    };
                    task(
                        Block { row: row + block.row, col: col + block.col, ..block },
                        Some(packed),
                    );
                });
            }
        }
    });
}

/// Where the steps through `len` lines begin.
fn steps(len: usize, step: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(step)
}
