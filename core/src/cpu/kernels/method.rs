//! The ways to compute a product of matrices, and what each asks for.

#[cfg(target_arch = "x86_64")]
use super::thirds;
#[cfg(target_arch = "x86_64")]
use crate::cpu::simd::same;
use crate::cpu::simd::{Level, level};
use crate::device::MatmulDims;
use crate::element::Float;

/// Multiply-adds from which matrixmultiply beats a kernel without vectors, in spite of its allocation.
const LARGE: usize = 1 << 16;
/// Rows of the right matrix that are used together: a panel of them, in f32, stays in the first cache.
const DEPTH: usize = 256;
/// Rows of the result up to which the right matrix is used where it lies.
pub(super) const FEW_ROWS: usize = 16;
/// Columns of the result up to which they fill too little of a vector.
const FEW_COLUMNS: usize = 12;
/// Rows of the result from which a right matrix that is stored along k is worth being transposed.
const MANY_ROWS: usize = 32;

/// How a product is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Dot products of rows, where both matrices are stored along k.
    Dots,
    /// Tiles of the result, over packed matrices.
    Tiles,
    /// Tiles of AMX, over matrices that are split into parts.
    #[cfg(target_arch = "x86_64")]
    Thirds,
    /// matrixmultiply.
    Gemm,
}

impl Method {
    /// The way for these sizes. It is also a matter of m, the number of samples of a layer: the last bits of a sample's
    /// result are not the same in a batch of another size.
    pub(super) fn of<E: Float>(dims: &MatmulDims) -> Self {
        let MatmulDims { m, n, k, .. } = *dims;
        #[cfg(target_arch = "x86_64")]
        if level() == Level::Amx && same::<E, f32>() && thirds::is_worth([m, n, k]) {
            return Method::Thirds;
        }
        if level() == Level::Base && m * n * k > LARGE && m.min(n).min(k) >= 4 {
            Method::Gemm
        } else if !dims.transpose_a
            && dims.transpose_b
            && k >= 16
            && (m < MANY_ROWS || n <= FEW_COLUMNS)
        {
            Method::Dots
        } else {
            Method::Tiles
        }
    }

    /// Multiply-adds from which what is packed is packed once for all blocks, by a job of its own.
    pub(super) fn shared_from(self) -> usize {
        const LARGE: usize = if cfg!(test) { 1 << 20 } else { 1 << 23 };
        match self {
            Method::Dots | Method::Gemm => usize::MAX / 8,
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => LARGE / 8,
            Method::Tiles => LARGE,
        }
    }

    /// The most elements of a matrix that are packed together.
    pub(super) fn shared_elements(self) -> usize {
        match self {
            _ if cfg!(test) => 1 << 18,
            // Lines of both matrices: as many of each, so that enough blocks use them.
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => 1 << 22,
            _ => 1 << 20,
        }
    }

    /// The lines that one task packs, where blocks have `rows` rows.
    pub(super) fn lines_per_task(self, rows: usize, k: usize) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => (thirds::TASK / self.depth(k)).next_multiple_of(thirds::STRIP),
            _ => rows,
        }
    }

    /// Whether the columns of the right matrix are packed for several blocks, as the rows of the left one are.
    pub(super) fn packs_columns(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => true,
            _ => false,
        }
    }

    /// What the rows of a block are a multiple of: the height of strips, in any instruction set.
    pub(super) fn strip(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => thirds::STRIP,
            _ => 24,
        }
    }

    /// The rows of the right matrix that are used together, of `k`: parts of about the same size.
    pub(super) fn depth(self, k: usize) -> usize {
        let (most, unit) = match self {
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => (thirds::DEPTH, thirds::UNIT),
            _ => (DEPTH, 16),
        };
        k.div_ceil(k.div_ceil(most).max(1)).next_multiple_of(unit).min(k)
    }

    /// The parts that the depth of a product is cut into.
    pub(super) fn parts(self, k: usize) -> usize {
        k.div_ceil(self.depth(k).max(1))
    }

    /// The elements of packed strips of `rows` rows of a left matrix.
    pub(super) fn strips(self, rows: usize, depth: usize) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Method::Thirds => thirds::len(rows, depth),
            _ => rows * depth,
        }
    }
}
