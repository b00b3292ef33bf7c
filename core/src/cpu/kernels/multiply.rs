//! One block of a product of matrices: which way it is computed, and the memory that this takes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::InnerLoops;
use super::dot::{Dots, Rows};
use super::pack::{pack_panel, pack_strips};
use super::tile::{Product, WIDTH};
use crate::cpu::scratch::{Scratch, lines};
use crate::cpu::simd::{Level, Simd, Vectorised, level, vectorised};
use crate::device::MatmulDims;
use crate::element::Float;

static GEMM_CALLS: AtomicU64 = AtomicU64::new(0);

/// How often matrixmultiply has been called.
pub(crate) fn gemm_calls() -> u64 {
    GEMM_CALLS.load(Ordering::Relaxed)
}

/// Multiply-adds from which matrixmultiply beats a kernel without vectors, in spite of its allocation.
const LARGE: usize = 1 << 16;
/// Rows of the right matrix that are used together: a panel of them, in f32, stays in the first cache.
const DEPTH: usize = 256;
/// Rows of the result up to which the right matrix is used where it lies.
pub(super) const FEW_ROWS: usize = 16;
/// Rows of the result from which a right matrix that is stored along k is worth being transposed.
const MANY_ROWS: usize = 32;

/// How a product is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Dot products of rows, where both matrices are stored along k.
    Dots,
    /// Tiles of the result, over packed matrices.
    Tiles,
    /// matrixmultiply.
    Gemm,
}

impl Method {
    /// The way for these sizes. It is also a matter of m, the number of samples of a layer: the last bits of a sample's
    /// result are not the same in a batch of another size.
    pub(super) fn of(dims: &MatmulDims) -> Self {
        let MatmulDims { m, n, k, .. } = *dims;
        if level() == Level::Base && m * n * k > LARGE && m.min(n).min(k) >= 4 {
            Method::Gemm
        } else if !dims.transpose_a && dims.transpose_b && k >= 16 && m < MANY_ROWS {
            Method::Dots
        } else {
            Method::Tiles
        }
    }
}

/// A matrix: element (i, j) is at `first + i * row + j * col`.
#[derive(Clone, Copy)]
pub struct Matrix<E> {
    first: *const E,
    row: usize,
    col: usize,
}

impl<E> Matrix<E> {
    pub(super) fn new(first: *const E, transposed: bool, rows: usize, cols: usize) -> Self {
        let (row, col) = if transposed { (1, rows) } else { (cols, 1) };
        Matrix { first, row, col }
    }

    pub(super) fn from(self, i: usize, j: usize) -> Self {
        Matrix { first: self.first.wrapping_add(i * self.row + j * self.col), ..self }
    }
}

/// The left matrix of several blocks, packed before: for each part of the depth the rows of one block after another.
#[derive(Clone, Copy)]
pub struct Strips<E> {
    pub(super) first: *mut E,
    /// The rows of all blocks.
    pub(super) rows: usize,
}

impl<E> Strips<E> {
    /// The elements of packed strips of `rows` rows.
    pub(super) fn len(rows: usize, k: usize) -> usize {
        rows * k
    }

    /// The strips of the block that begins at `row`, for the part of the depth that begins at `p` and has `depth` rows
    /// of the right matrix.
    fn at(self, row: usize, p: usize, depth: usize) -> *mut E {
        self.first.wrapping_add(p * self.rows + row * depth)
    }
}

/// Packs the rows of the left matrix for one block and one part of the depth.
///
/// # Safety
/// Doing it needs a matrix that holds the elements that the sizes address, and strips of [`Strips::len`].
pub struct PackStrips<E> {
    pub(super) a: Matrix<E>,
    pub(super) rows: usize,
    pub(super) row: usize,
    pub(super) k: usize,
    /// Which part.
    pub(super) part: usize,
    pub(super) strips: Strips<E>,
}

impl<E: Float> Vectorised<E> for PackStrips<E> {
    /// # Safety
    /// As for [`PackStrips`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(self) {
        let PackStrips { a, rows, row, k, part, strips } = self;
        let p = part * depth(k);
        let count = depth(k).min(k - p);
        let (a, strides) = (a.from(row, p), [a.row, a.col]);
        // SAFETY: the caller's promise.
        unsafe { pack_strips::<E, S>(a.first, strides, [rows, count], strips.at(row, p, count)) }
    }
}

/// The parts that the depth of a product is cut into.
pub(super) fn parts(k: usize) -> usize {
    k.div_ceil(depth(k).max(1))
}

/// The rows of the right matrix that are used together, of `k`: parts of about the same size.
fn depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).next_multiple_of(16).min(k)
}

/// Memory to pack into.
pub struct Room<'a, E> {
    panel: &'a mut [E],
    strips: &'a mut [E],
    offsets: &'a mut [usize],
}

impl<'a, E: Float> Room<'a, E> {
    /// The elements of a panel and of strips for a block of the sizes, and the offsets of a table.
    fn lens(method: Method, [rows, cols, k]: [usize; 3], packed: bool) -> [usize; 3] {
        if method != Method::Tiles {
            return [0; 3];
        }
        let depth = depth(k);
        match () {
            () if packed => [depth * WIDTH, 0, 0],
            () if is_packed(rows, cols) => [depth * WIDTH, rows * depth, 0],
            () => [depth * WIDTH, 0, depth],
        }
    }

    /// The scratch memory for a block of the sizes [rows, cols, k]. `packed`: its strips are packed already.
    pub(super) fn lines(method: Method, sizes: [usize; 3], packed: bool) -> usize {
        let [panel, strips, offsets] = Self::lens(method, sizes, packed);
        lines::<E>(panel) + lines::<E>(strips) + lines::<usize>(offsets)
    }

    pub(super) fn new(
        method: Method,
        sizes: [usize; 3],
        packed: bool,
        scratch: &mut Scratch<'a>,
    ) -> Self {
        let [panel, strips, offsets] = Self::lens(method, sizes, packed);
        Room {
            panel: scratch.take(panel),
            strips: scratch.take(strips),
            offsets: scratch.take_offsets(offsets),
        }
    }
}

/// Whether the left matrix is packed too: where it has more than a few rows, and more than two panels use it.
fn is_packed(rows: usize, cols: usize) -> bool {
    rows > FEW_ROWS && cols > 2 * WIDTH
}

/// `c = a @ b`, of the sizes [rows, cols, k].
///
/// # Safety
/// Computing it needs matrices that hold the elements that the sizes address, a `c` that does not overlap the others,
/// and a room that was made for the method and sizes of at least this block.
pub struct Multiply<'r, 'a, E> {
    pub(super) method: Method,
    pub(super) a: Matrix<E>,
    pub(super) b: Matrix<E>,
    pub(super) c: *mut E,
    pub(super) c_row: usize,
    pub(super) sizes: [usize; 3],
    /// The left matrix as it was packed before for all blocks, and the row that this one begins at.
    pub(super) strips: Option<(Strips<E>, usize)>,
    pub(super) room: &'r mut Room<'a, E>,
}

impl<E: Float> Multiply<'_, '_, E> {
    /// # Safety
    /// As for [`Multiply`].
    pub(super) unsafe fn run(self) {
        match self.method {
            // SAFETY: the caller's promise, here and below.
            Method::Tiles => unsafe { vectorised(Tiles(self)) },
            // SAFETY: as above.
            Method::Dots => unsafe { vectorised(self.dots()) },
            // SAFETY: as above.
            Method::Gemm => unsafe { self.gemm() },
        }
    }

    fn dots(&self) -> Dots<E> {
        let [rows, cols, k] = self.sizes;
        Dots {
            a: self.a.first,
            a_row: self.a.row,
            b: self.b.first,
            rows_of_b: Rows::Every(self.b.col),
            c: self.c,
            c_row: self.c_row,
            rows,
            cols,
            k,
            add: false,
        }
    }

    /// # Safety
    /// As for [`Multiply`].
    unsafe fn gemm(self) {
        GEMM_CALLS.fetch_add(1, Ordering::Relaxed);
        let Multiply { a, b, c, c_row, sizes: [rows, cols, k], .. } = self;
        let strides = |m: Matrix<E>| (m.row as isize, m.col as isize);
        let (one, zero) = (E::ONE, E::ZERO);
        // SAFETY: the caller's promise; beta is 0, so that `c` is not read.
        unsafe {
            E::gemm(
                rows,
                k,
                cols,
                one,
                a.first,
                strides(a),
                b.first,
                strides(b),
                zero,
                c,
                (c_row as isize, 1),
            );
        }
    }
}

/// A block that is computed in tiles.
struct Tiles<'r, 'a, E>(Multiply<'r, 'a, E>);

impl<E: Float> Vectorised<E> for Tiles<'_, '_, E> {
    /// # Safety
    /// As for [`Multiply`].
    #[inline(always)]
    unsafe fn run<S: Simd<E>>(mut self) {
        let [rows, cols, k] = self.0.sizes;
        let most = depth(k);
        let mut p = 0;
        loop {
            let count = most.min(k - p);
            let packed = self.0.strips;
            let part = self.0.part(p, count);
            // SAFETY: the caller's promise.
            unsafe {
                match packed {
                    Some((strips, row)) => in_packed::<E, S>(part, strips.at(row, p, count)),
                    None if is_packed(rows, cols) => {
                        let Part { a, strips, .. } = part;
                        pack_strips::<E, S>(a.first, [a.row, a.col], [rows, count], strips);
                        in_packed::<E, S>(part, strips);
                    }
                    None => in_panels::<E, S>(part),
                }
            }
            p += most;
            if p >= k {
                return;
            }
        }
    }
}

/// Some of the depth of a product: `k` of the matrices' rows and columns, for sums to be stored or added.
struct Part<'r, E> {
    a: Matrix<E>,
    b: Matrix<E>,
    panel: *mut E,
    strips: *mut E,
    offsets: &'r mut [usize],
    product: Product<E>,
}

impl<E: Float> Multiply<'_, '_, E> {
    fn part(&mut self, p: usize, k: usize) -> Part<'_, E> {
        let [rows, cols, _] = self.sizes;
        let (a, b) = (self.a.from(0, p), self.b.from(p, 0));
        let product = Product {
            a: a.first,
            a_row: a.row,
            a_k: a.col,
            b: b.first,
            offsets: None,
            c: self.c,
            c_row: self.c_row,
            rows,
            cols,
            k,
            add: p > 0,
        };
        let Room { panel, strips, offsets } = &mut *self.room;
        let (panel, strips) = (panel.as_mut_ptr(), strips.as_mut_ptr());
        Part { a, b, panel, strips, offsets, product }
    }
}

/// A part for which both matrices are packed, the left one in `strips`.
///
/// # Safety
/// As for [`Multiply`], on a processor that has the instructions of `S`.
#[inline(always)]
unsafe fn in_packed<E: Float, S: Simd<E>>(part: Part<'_, E>, strips: *const E) {
    let Part { b, panel, product, .. } = part;
    let Product { c, cols, k, .. } = product;
    for col in (0..cols).step_by(WIDTH) {
        let width = WIDTH.min(cols - col);
        let c = c.wrapping_add(col);
        // SAFETY: as above; the panel has `k` rows.
        unsafe {
            pack_panel::<E, S>(b.from(0, col).first, [b.row, b.col], [k, width], panel);
            E::Loops::product(Product { a: strips, b: panel, c, cols: width, ..product });
        }
    }
}

/// A part for which panels of the right matrix are packed, unless few rows use them.
///
/// # Safety
/// As for [`in_packed`].
#[inline(always)]
unsafe fn in_panels<E: Float, S: Simd<E>>(part: Part<'_, E>) {
    let Part { b, panel, offsets, product, .. } = part;
    let Product { c, rows, cols, k, .. } = product;
    let direct = if b.col == 1 && rows <= FEW_ROWS { cols - cols % WIDTH } else { 0 };
    let offsets = &mut offsets[..k];
    if direct > 0 {
        offsets.iter_mut().enumerate().for_each(|(i, offset)| *offset = i * b.row);
        // SAFETY: the caller's promise; whole panels are read.
        unsafe {
            E::Loops::product(Product { offsets: Some(offsets.as_ptr()), cols: direct, ..product });
        }
    }
    offsets.iter_mut().enumerate().for_each(|(i, offset)| *offset = i * WIDTH);
    for col in (direct..cols).step_by(WIDTH) {
        let width = WIDTH.min(cols - col);
        let (c, offsets) = (c.wrapping_add(col), Some(offsets.as_ptr()));
        // SAFETY: as above; the panel has `k` rows.
        unsafe {
            pack_panel::<E, S>(b.from(0, col).first, [b.row, b.col], [k, width], panel);
            E::Loops::product(Product { b: panel, offsets, c, cols: width, ..product });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::scratch;

    /// The processor that runs the tests may never choose some of the methods by itself.
    #[test]
    fn all_methods_agree() {
        for [rows, cols, k] in [[13, 37, 29], [29, 101, 37], [17, 65, 600]] {
            let a: Vec<f64> = (0..rows * k).map(|i| (i * 7 % 23) as f64 - 11.0).collect();
            let b: Vec<f64> = (0..cols * k).map(|i| (i * 5 % 19) as f64 - 9.0).collect();
            let results = [Method::Dots, Method::Tiles, Method::Gemm].map(|method| {
                let sizes = [rows, cols, k];
                let mut c = vec![0.0; rows * cols];
                scratch::with(Room::<f64>::lines(method, sizes, false), |mut scratch| {
                    let room = &mut Room::new(method, sizes, false, &mut scratch);
                    let a = Matrix::new(a.as_ptr(), false, rows, k);
                    let b = Matrix::new(b.as_ptr(), true, k, cols);
                    let (c, c_row, strips) = (c.as_mut_ptr(), cols, None);
                    let multiply = Multiply { method, a, b, c, c_row, sizes, strips, room };
                    // SAFETY: the vectors have these sizes.
                    unsafe { multiply.run() };
                });
                c
            });
            assert_eq!(results[0], results[1]);
            assert_eq!(results[1], results[2]);
        }
        assert!(gemm_calls() > 0);
    }
}
