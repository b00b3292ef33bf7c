//! One block of a product of matrices: which way it is computed, and the memory that this takes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::InnerLoops;
use super::dot::{Dots, Rows};
use super::method::{FEW_ROWS, Method};
use super::pack::{pack_panel, pack_strips};
use super::packed::{Matrix, Packed};
#[cfg(target_arch = "x86_64")]
use super::thirds;
use super::tile::{Product, WIDTH};
use crate::cpu::scratch::{Scratch, lines};
use crate::cpu::simd::{Simd, Vectorised, vectorised};
use crate::element::Float;

static GEMM_CALLS: AtomicU64 = AtomicU64::new(0);

/// How often matrixmultiply has been called.
pub(crate) fn gemm_calls() -> u64 {
    GEMM_CALLS.load(Ordering::Relaxed)
}

/// Memory to pack into.
pub struct Room<'a, E> {
    panel: &'a mut [E],
    strips: &'a mut [E],
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    sums: &'a mut [E],
    offsets: &'a mut [usize],
}

impl<'a, E: Float> Room<'a, E> {
    /// The elements of a panel, of strips and of sums for a block of the sizes, and the offsets of a table.
    fn lens(method: Method, [rows, cols, k]: [usize; 3], packed: bool) -> [usize; 4] {
        let depth = method.depth(k);
        match method {
            Method::Dots | Method::Gemm => return [0; 4],
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => {
                let own = |lines| if packed { 0 } else { thirds::len(lines, depth) };
                return [own(1), own(rows), thirds::sums([rows, cols, k]), 0];
            }
            Method::Tiles => {}
        }
        match () {
            () if packed => [depth * WIDTH, 0, 0, 0],
            () if is_packed(rows, cols) => [depth * WIDTH, rows * depth, 0, 0],
            () => [depth * WIDTH, 0, 0, depth],
        }
    }

    /// The scratch memory for a block of the sizes [rows, cols, k]. `packed`: its strips are packed already.
    pub(super) fn lines(method: Method, sizes: [usize; 3], packed: bool) -> usize {
        let [panel, strips, sums, offsets] = Self::lens(method, sizes, packed);
        [panel, strips, sums].map(lines::<E>).iter().sum::<usize>() + lines::<usize>(offsets)
    }

    pub(super) fn new(
        method: Method,
        sizes: [usize; 3],
        packed: bool,
        scratch: &mut Scratch<'a>,
    ) -> Self {
        let [panel, strips, sums, offsets] = Self::lens(method, sizes, packed);
        Room {
            panel: scratch.take(panel),
            strips: scratch.take(strips),
            sums: scratch.take(sums),
            offsets: scratch.take_offsets(offsets),
        }
    }

    /// Where a panel begins, where strips do, and where sums do.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn first(&mut self) -> [*mut E; 3] {
        [self.panel.as_mut_ptr(), self.strips.as_mut_ptr(), self.sums.as_mut_ptr()]
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
    /// What was packed before for all blocks.
    pub(super) packed: Option<Packed<E>>,
    pub(super) room: &'r mut Room<'a, E>,
}

impl<E: Float> Multiply<'_, '_, E> {
    /// # Safety
    /// As for [`Multiply`].
    pub(super) unsafe fn run(self) {
        match self.method {
            // SAFETY: the caller's promise, here and below.
            Method::Tiles => unsafe { vectorised(Tiles(self)) },
            // SAFETY: as above; the method is for `f32`, on processors that have the tiles.
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => unsafe { thirds::multiply(self) },
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
        let most = Method::Tiles.depth(k);
        let mut p = 0;
        loop {
            let count = most.min(k - p);
            let packed = self.0.packed;
            let part = self.0.part(p, count);
            // SAFETY: the caller's promise.
            unsafe {
                match packed {
                    Some(Packed { rows: (strips, row), .. }) => {
                        in_packed::<E, S>(part, strips.at(row, p, count));
                    }
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
        let Room { panel, strips, offsets, .. } = &mut *self.room;
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
                    let (c, c_row, packed) = (c.as_mut_ptr(), cols, None);
                    let multiply = Multiply { method, a, b, c, c_row, sizes, packed, room };
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
