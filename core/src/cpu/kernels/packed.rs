//! Matrices as products address them, and their lines as several blocks of a product use them: packed before.

use super::method::Method;
use super::pack::pack_strips;
#[cfg(target_arch = "x86_64")]
use super::thirds;
use crate::cpu::simd::{Simd, Vectorised};
use crate::element::Float;

/// A matrix: element (i, j) is at `first + i * row + j * col`.
#[derive(Clone, Copy)]
pub struct Matrix<E> {
    pub(super) first: *const E,
    pub(super) row: usize,
    pub(super) col: usize,
}

impl<E> Matrix<E> {
    pub(super) fn new(first: *const E, transposed: bool, rows: usize, cols: usize) -> Self {
        let (row, col) = if transposed { (1, rows) } else { (cols, 1) };
        Matrix { first, row, col }
    }

    pub(super) fn from(self, i: usize, j: usize) -> Self {
        Matrix { first: self.first.wrapping_add(i * self.row + j * self.col), ..self }
    }

    /// The same matrix, of elements that are the same type by another name.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn cast<T>(self) -> Matrix<T> {
        Matrix { first: self.first.cast(), row: self.row, col: self.col }
    }
}

/// Lines of a matrix that several blocks use, packed before: for each part of the depth the lines of one block after
/// another.
#[derive(Clone, Copy)]
pub struct Strips<E> {
    pub(super) method: Method,
    pub(super) first: *mut E,
    /// The lines of all blocks.
    pub(super) lines: usize,
}

impl<E> Strips<E> {
    /// The strips of the block that begins at a line, for the part of the depth that begins at `p` and has `depth`
    /// numbers of each line.
    pub(super) fn at(self, line: usize, p: usize, depth: usize) -> *mut E {
        let before = self.method.strips(self.lines, p) + self.method.strips(line, depth);
        self.first.wrapping_add(before)
    }
}

/// What a block uses of strips, each with the line that the block begins at.
#[derive(Clone, Copy)]
pub struct Packed<E> {
    /// The rows of the left matrix.
    pub(super) rows: (Strips<E>, usize),
    /// The columns of the right matrix, where the method packs these too.
    pub(super) cols: Option<(Strips<E>, usize)>,
}

/// The lines of a matrix that are multiplied with lines of the other one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Along {
    /// The rows of the left matrix.
    Rows,
    /// The columns of the right matrix.
    Cols,
}

/// Packs lines of a matrix for one block and one part of the depth.
///
/// # Safety
/// Doing it needs a matrix that holds the elements that the sizes address, and strips of [`Method::strips`].
pub struct PackStrips<E> {
    pub(super) along: Along,
    pub(super) matrix: Matrix<E>,
    /// The lines, and the first one of them.
    pub(super) lines: usize,
    pub(super) line: usize,
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
        let PackStrips { along, matrix, lines, line, k, part, strips } = self;
        let most = strips.method.depth(k);
        let p = part * most;
        let depth = most.min(k - p);
        let matrix = match along {
            Along::Rows => matrix.from(line, p),
            Along::Cols => matrix.from(p, line),
        };
        let (sizes, to) = ([lines, depth], strips.at(line, p, depth));
        // SAFETY: the caller's promise; only `Thirds` packs columns.
        unsafe {
            match strips.method {
                #[cfg(target_arch = "x86_64")]
                Method::Thirds => thirds::split_lines(matrix.cast(), along, sizes, to.cast()),
                _ => pack_strips::<E, S>(matrix.first, [matrix.row, matrix.col], sizes, to),
            }
        }
    }
}
