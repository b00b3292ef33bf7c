//! Products of `f32` matrices by tiles that multiply bfloat16: every number is split into three of these.
//!
//! `x = x0 + x1 + x2`, exactly: bfloat16 has eight bits of significand, `f32` 24, and both have the same exponents. Six
//! of the nine products of parts are summed, in `f32`; the other three are, together, at most `2^-23 |a| |b|` and of
//! either sign, less than what sums of `f32` round away (Henry, Tang and Heinecke, Leveraging the bfloat16 artificial
//! intelligence datatype for higher-precision computations, 2019). The tiles take subnormal numbers for zero, as factors and as
//! products of parts, so that products below about `2^-108` lose some of their digits. Where a sum is not finite, the block is computed again from the
//! numbers as they are: the parts of infinity are not numbers.

use std::arch::x86_64::*;

use super::method::Method;
use super::multiply::{Multiply, Room};
use super::packed::{Along, Matrix, Packed};
use crate::cpu::scratch;
use crate::cpu::simd::x86::amx::{BLOCK, DEEP, PART, PARTS, SQUARE, Square, TILE, Tiles};
use crate::cpu::simd::x86::transposed_16;
use crate::element::Float;

/// The rows of a strip.
pub(super) const STRIP: usize = SQUARE;
/// What a depth is a multiple of.
pub(super) const UNIT: usize = DEEP;
/// The numbers of a line that are used together: with so many, the tiles of a square stay in the second cache.
pub(super) const DEPTH: usize = 32 * DEEP;
/// The elements that a task splits.
pub(super) const TASK: usize = 1 << 13;

/// The elements of `f32` whose place the parts of `lines` lines of `depth` numbers take.
pub(super) fn len(lines: usize, depth: usize) -> usize {
    lines.next_multiple_of(SQUARE) * depth.next_multiple_of(DEEP) / (SQUARE * DEEP) * BLOCK
}

/// Whether a product of the sizes [m, n, k] is worth splitting its matrices, which costs as much as some 60 of the
/// multiply-adds that every number is used for: n of them on the left, and m on the right.
pub(super) fn is_worth([m, n, k]: [usize; 3]) -> bool {
    const COST: usize = if cfg!(test) { 8 } else { 60 };
    let whole = [m, n, k].map(|size| size.next_multiple_of(SQUARE));
    let padded: usize = whole.iter().product();
    m.min(n).min(k) >= SQUARE && m * n > COST * (m + n) && padded <= 2 * m * n * k
}

/// The elements of all squares of sums that a block of the sizes [rows, cols, k] has to keep.
pub(super) fn sums([rows, cols, k]: [usize; 3]) -> usize {
    let count =
        if Method::Thirds.parts(k) > 1 { rows.div_ceil(SQUARE) * cols.div_ceil(SQUARE) } else { 1 };
    count * SQUARE * SQUARE
}

/// `c = a @ b` of a block.
///
/// # Safety
/// As for [`Multiply`], of elements that are `f32`, on a processor of [`Level::Amx`](crate::cpu::simd::Level::Amx).
pub(super) unsafe fn multiply<E: Float>(mut block: Multiply<'_, '_, E>) {
    // SAFETY: the caller's promise.
    unsafe {
        if !squares(&mut block) {
            again(block);
        }
    }
}

/// Computes a block square by square; whether all sums are finite.
///
/// # Safety
/// As for [`multiply`].
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn squares<E: Float>(block: &mut Multiply<'_, '_, E>) -> bool {
    let [rows, cols, k] = block.sizes;
    let (a, b, c) = (block.a.cast::<f32>(), block.b.cast::<f32>(), block.c.cast::<f32>());
    let [own_panel, own_strips, sums] = block.room.first();
    // SAFETY: the caller's promise, here and below.
    let tiles = unsafe { Tiles::new() };
    let mut is_finite = true;
    let most = Method::Thirds.depth(k);
    for p in (0..k).step_by(most) {
        let depth = most.min(k - p);
        let strips = match block.packed {
            Some(Packed { rows: (strips, row), .. }) => strips.at(row, p, depth),
            None => {
                // SAFETY: as above; the room was made for it.
                unsafe { split_lines(a.from(0, p), Along::Rows, [rows, depth], own_strips.cast()) };
                own_strips
            }
        };
        // Where the sums of the square are until the last part, and afterwards.
        let mut sums = sums.cast::<Square>();
        for col in (0..cols).step_by(SQUARE) {
            let width = SQUARE.min(cols - col);
            let panel = match block.packed {
                Some(Packed { cols: Some((panels, first)), .. }) => {
                    panels.at(first + col, p, depth)
                }
                _ => {
                    let (b, sizes) = (b.from(p, col), [width, depth]);
                    // SAFETY: as above.
                    unsafe { split_lines(b, Along::Cols, sizes, own_panel.cast()) };
                    own_panel
                }
            };
            for row in (0..rows).step_by(SQUARE) {
                let strip = strips.wrapping_add(len(row, depth));
                // SAFETY: as above; the square lies in the result.
                unsafe {
                    if p == 0 {
                        tiles.clear();
                    } else {
                        tiles.load(sums);
                    }
                    tiles.multiply(strip.cast(), panel.cast(), depth.div_ceil(DEEP));
                    tiles.store(sums);
                    if p + depth == k {
                        let c = c.wrapping_add(row * block.c_row + col);
                        let sizes = [SQUARE.min(rows - row), width];
                        is_finite &= store(&*sums, c, block.c_row, sizes);
                    }
                }
                if most < k {
                    sums = sums.wrapping_add(1);
                }
            }
        }
    }
    is_finite
}

/// Computes a block from the numbers as they are.
///
/// # Safety
/// As for [`Multiply`].
#[cold]
unsafe fn again<E: Float>(block: Multiply<'_, '_, E>) {
    let (method, sizes) = (Method::Tiles, block.sizes);
    scratch::with(Room::<E>::lines(method, sizes, false), |mut scratch| {
        let room = &mut Room::new(method, sizes, false, &mut scratch);
        let Multiply { a, b, c, c_row, .. } = block;
        // SAFETY: the caller's promise.
        unsafe { Multiply { method, a, b, c, c_row, sizes, packed: None, room }.run() };
    });
}

/// Stores the first rows and columns of a square; whether all are finite.
///
/// # Safety
/// `c` must be good for the rows and columns.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn store(sums: &Square, c: *mut f32, c_row: usize, [rows, cols]: [usize; 2]) -> bool {
    /// Infinities, and what is not a number.
    const NOT_FINITE: i32 = 0x99;
    let mut found = 0;
    let masks = [0, TILE].map(|first| first_lanes(cols.saturating_sub(first)));
    for row in 0..rows {
        for (half, mask) in masks.into_iter().enumerate() {
            // SAFETY: the square has the vector, and the caller's promise for the lanes of the mask.
            unsafe {
                let vector = _mm512_load_ps(sums.0.as_ptr().add(row * SQUARE + half * TILE));
                found |= _mm512_mask_fpclass_ps_mask::<NOT_FINITE>(mask, vector);
                _mm512_mask_storeu_ps(c.wrapping_add(row * c_row + half * TILE), mask, vector);
            }
        }
    }
    found == 0
}

/// The first `count` lanes, all of them if there are more.
#[inline(always)]
fn first_lanes(count: usize) -> __mmask16 {
    if count < TILE { (1 << count) - 1 } else { !0 }
}

/// Splits `lines` lines of `depth` numbers into blocks of tiles, with zeros beyond the ends: for each [`SQUARE`] of lines
/// the blocks one after another. A row of a tile has the pairs of one row of a left matrix, or one pair of every column
/// of a right one.
///
/// # Safety
/// `matrix` must hold the elements that the sizes address, `to` be good for [`len`] of them.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn split_lines(
    matrix: Matrix<f32>,
    along: Along,
    [lines, depth]: [usize; 2],
    mut to: *mut f32,
) {
    let Matrix { first, row, col } = matrix;
    let (line_step, deep_step) = if along == Along::Rows { (row, col) } else { (col, row) };
    let is_deep = deep_step == 1;
    let is_turned = is_deep != (along == Along::Rows);
    let mut vectors = Vectors([[_mm512_setzero_ps(); TILE]; PARTS]);
    for line in (0..lines).step_by(SQUARE) {
        for p in (0..depth).step_by(DEEP) {
            for half in [0, TILE] {
                let line = line + half;
                let from = first.wrapping_add(line * line_step + p * deep_step);
                let sizes = [lines.saturating_sub(line).min(TILE), DEEP.min(depth - p)];
                let pairs = if is_deep {
                    Pairs::deep(from, line_step, sizes)
                } else {
                    Pairs::across(from, deep_step, sizes)
                };
                let to = to.wrapping_add(half * TILE);
                // SAFETY: the caller's promise; a tile of each part.
                unsafe {
                    if is_turned {
                        pairs.split(vectors.0.as_mut_ptr().cast(), TILE * TILE);
                        vectors.turn(to);
                    } else {
                        pairs.split(to, PART);
                    }
                }
            }
            to = to.wrapping_add(BLOCK);
        }
    }
}

/// Two vectors for each row of a tile, `stride` apart: numbers that are to be pairs.
struct Pairs {
    from: [*const f32; 2],
    stride: usize,
    /// How many of the vectors there are.
    rows: [usize; 2],
    /// The lanes that they have.
    lanes: [__mmask16; 2],
}

impl Pairs {
    /// Of lines whose numbers are stored one after another: a row is one line.
    fn deep(from: *const f32, stride: usize, [lines, deep]: [usize; 2]) -> Self {
        let lanes = [deep, deep.saturating_sub(TILE)].map(first_lanes);
        Pairs { from: [from, from.wrapping_add(TILE)], stride, rows: [lines; 2], lanes }
    }

    /// Of lines that are stored beside each other: a row is one pair of each.
    fn across(from: *const f32, stride: usize, [lines, deep]: [usize; 2]) -> Self {
        let rows = [deep, deep.saturating_sub(TILE)];
        let lanes = [first_lanes(lines); 2];
        Pairs { from: [from, from.wrapping_add(TILE * stride)], stride, rows, lanes }
    }

    /// Stores the parts of a tile, `part` elements apart.
    ///
    /// # Safety
    /// The vectors must be there, and `to` be good for the tiles.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn split(self, to: *mut f32, part: usize) {
        let Pairs { from, stride, rows, lanes } = self;
        for row in 0..TILE {
            let [low, high] = [0, 1].map(|i| if row < rows[i] { lanes[i] } else { 0 });
            let at = row * stride;
            // SAFETY: the caller's promise, for the lanes of the masks.
            unsafe {
                let low = _mm512_maskz_loadu_ps(low, from[0].wrapping_add(at));
                let high = _mm512_maskz_loadu_ps(high, from[1].wrapping_add(at));
                let [x, y, z] = split(low, high);
                let to = to.add(row * TILE);
                _mm512_store_ps(to, x);
                _mm512_store_ps(to.add(part), y);
                _mm512_store_ps(to.add(2 * part), z);
            }
        }
    }
}

/// The rows of a tile of each part.
struct Vectors([[__m512; TILE]; PARTS]);

impl Vectors {
    /// Stores them with rows and columns exchanged.
    ///
    /// # Safety
    /// `to` must be good for tiles that are [`PART`] apart.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn turn(&self, to: *mut f32) {
        for (part, &vectors) in self.0.iter().enumerate() {
            for (i, vector) in transposed_16(vectors).into_iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { _mm512_store_ps(to.add(part * PART + i * TILE), vector) };
            }
        }
    }
}

/// The three parts of the numbers of two vectors, those of the second one in the upper halves: the number nearest to
/// what is left, twice, and what is left then.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn split(low: __m512, high: __m512) -> [__m512; PARTS] {
    let (x, y) = (split_one(low), split_one(high));
    [join(x[0], y[0]), join(x[1], y[1]), join(x[2], y[2])]
}

/// The three parts of numbers, in the upper halves.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn split_one(x: __m512) -> [__m512; PARTS] {
    let high = nearest(x);
    let rest = _mm512_sub_ps(x, high);
    let middle = nearest(rest);
    [high, middle, _mm512_sub_ps(rest, middle)]
}

/// The nearest numbers of eight bits, those further from zero where two are.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn nearest(x: __m512) -> __m512 {
    let half = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(1 << 15));
    _mm512_castsi512_ps(_mm512_and_si512(half, _mm512_set1_epi32(!0xffff)))
}

/// The upper halves of two vectors, those of the first in the lower halves. What is left of very small numbers has bits in
/// its lower half, too: they are left out, for among the first's upper half they would be another number.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn join(low: __m512, high: __m512) -> __m512 {
    let low = _mm512_srli_epi32::<16>(_mm512_castps_si512(low));
    let (high, mask) = (_mm512_castps_si512(high), _mm512_set1_epi32(!0xffff));
    // low | high & mask
    _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xf8>(low, high, mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::{Level, levels};

    #[test]
    fn parts_of_very_small_numbers_stay_in_their_halves() {
        if !levels().contains(&Level::Avx512) {
            return;
        }
        let lanes = |x: __m512| {
            let mut lanes = [0.0_f32; TILE];
            // SAFETY: the processor has the instructions, and there are as many lanes.
            unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), x) };
            lanes[0].to_bits()
        };
        for small in [1e-30_f32, 1e-35, 3e-39, f32::from_bits(0x7f00), f32::from_bits(0x7f), 0.0] {
            for small in [small, -small] {
                // SAFETY: as above.
                let (parts, alone) = unsafe {
                    let small = _mm512_set1_ps(small);
                    (split(_mm512_set1_ps(1.0), small), split_one(small))
                };
                let parts = parts.map(lanes);
                // 1 is its own first part, and the others are 0.
                assert_eq!(parts.map(|part| part << 16), [1.0_f32.to_bits(), 0, 0], "{small:e}");
                let alone = alone.map(|part| lanes(part) & 0xffff_0000);
                assert_eq!(parts.map(|part| part & 0xffff_0000), alone, "{small:e}");
            }
        }
    }

    #[test]
    fn parts_add_up_to_the_number() {
        if !levels().contains(&Level::Avx512) {
            return;
        }
        // Of all exponents whose last part is a normal number, with any digits.
        let mut bits = 1_u32;
        for _ in 0..1 << 16 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let exponent = 24 + bits % 230;
            let x = f32::from_bits(bits & 0x807f_ffff | exponent << 23);
            // SAFETY: the processor has the instructions.
            let parts = unsafe { split_one(_mm512_set1_ps(x)) }.map(|part| {
                let mut lanes = [0.0; TILE];
                // SAFETY: as above; there are as many lanes.
                unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), part) };
                assert_eq!(lanes[0].to_bits() & 0xffff, 0, "a part of {x:e} is no bfloat16");
                lanes[0]
            });
            assert_eq!(parts[2] + parts[1] + parts[0], x, "{parts:?}");
            assert!(parts[1].abs() <= x.abs() / 256.0, "{parts:?}");
            assert!(parts[2].abs() <= x.abs() / 65_536.0, "{parts:?}");
        }
    }
}
