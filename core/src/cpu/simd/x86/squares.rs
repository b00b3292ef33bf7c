//! Squares of vectors: the sums of their lanes, and rows and columns exchanged.

use std::arch::x86_64::*;

use crate::cpu::simd::Simd;

// The sums of all lanes add neighbours first, then pairs, then halves: those of one vector and of many in the same order.

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn sum_8(v: __m256) -> f32 {
    let v = _mm256_hadd_ps(v, v);
    let v = _mm256_hadd_ps(v, v);
    _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)))
}

// Written out, because a closure that `array::from_fn` calls does not become part of a function with more instructions.

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn sums_8([a, b, c, d, e, f, g, h]: [__m256; 8]) -> __m256 {
    let low = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    let high = _mm256_hadd_ps(_mm256_hadd_ps(e, f), _mm256_hadd_ps(g, h));
    _mm256_add_ps(
        _mm256_permute2f128_ps::<0x20>(low, high),
        _mm256_permute2f128_ps::<0x31>(low, high),
    )
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn sum_4(v: __m256d) -> f64 {
    let v = _mm256_hadd_pd(v, v);
    _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn sums_4([a, b, c, d]: [__m256d; 4]) -> __m256d {
    let (low, high) = (_mm256_hadd_pd(a, b), _mm256_hadd_pd(c, d));
    _mm256_add_pd(
        _mm256_permute2f128_pd::<0x20>(low, high),
        _mm256_permute2f128_pd::<0x31>(low, high),
    )
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn sum_16(v: __m512) -> f32 {
    let v = _mm512_add_ps(v, _mm512_permute_ps::<0b10_11_00_01>(v));
    let v = _mm512_add_ps(v, _mm512_permute_ps::<0b01_00_11_10>(v));
    let v = _mm512_add_ps(v, _mm512_shuffle_f32x4::<0b10_11_00_01>(v, v));
    let v = _mm512_add_ps(v, _mm512_shuffle_f32x4::<0b01_00_11_10>(v, v));
    _mm512_cvtss_f32(v)
}

/// The sums of neighbours of two vectors, in each quarter.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_neighbours(a: __m512, b: __m512) -> __m512 {
    let even = _mm512_shuffle_ps::<0b10_00_10_00>(a, b);
    _mm512_add_ps(even, _mm512_shuffle_ps::<0b11_01_11_01>(a, b))
}

/// The quarters 0 and 2 of two vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn even(a: __m512, b: __m512) -> __m512 {
    _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b)
}

/// The quarters 1 and 3 of two vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn odd(a: __m512, b: __m512) -> __m512 {
    _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_quarters(a: __m512, b: __m512) -> __m512 {
    _mm512_add_ps(even(a, b), odd(a, b))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_four(v: &[__m512; 16], first: usize) -> __m512 {
    add_neighbours(
        add_neighbours(v[first], v[first + 1]),
        add_neighbours(v[first + 2], v[first + 3]),
    )
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn sums_16(v: [__m512; 16]) -> __m512 {
    let low = add_quarters(add_four(&v, 0), add_four(&v, 4));
    add_quarters(low, add_quarters(add_four(&v, 8), add_four(&v, 12)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn sum_8d(v: __m512d) -> f64 {
    let v = _mm512_add_pd(v, _mm512_permute_pd::<0b01_01_01_01>(v));
    let v = _mm512_add_pd(v, _mm512_shuffle_f64x2::<0b10_11_00_01>(v, v));
    let v = _mm512_add_pd(v, _mm512_shuffle_f64x2::<0b01_00_11_10>(v, v));
    _mm512_cvtsd_f64(v)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add_pairs(a: __m512d, b: __m512d) -> __m512d {
    _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b))
}

/// The quarters 0 and 2 of two vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn even_d(a: __m512d, b: __m512d) -> __m512d {
    _mm512_shuffle_f64x2::<0b10_00_10_00>(a, b)
}

/// The quarters 1 and 3 of two vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn odd_d(a: __m512d, b: __m512d) -> __m512d {
    _mm512_shuffle_f64x2::<0b11_01_11_01>(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn sums_8d([a, b, c, d, e, f, g, h]: [__m512d; 8]) -> __m512d {
    let (ab, cd, ef, gh) = (add_pairs(a, b), add_pairs(c, d), add_pairs(e, f), add_pairs(g, h));
    let low = _mm512_add_pd(even_d(ab, cd), odd_d(ab, cd));
    let high = _mm512_add_pd(even_d(ef, gh), odd_d(ef, gh));
    _mm512_add_pd(even_d(low, high), odd_d(low, high))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn transposed_4([a, b, c, d]: [__m256d; 4]) -> [__m256d; 4] {
    let (ab_even, ab_odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
    let (cd_even, cd_odd) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
    [
        _mm256_permute2f128_pd::<0x20>(ab_even, cd_even),
        _mm256_permute2f128_pd::<0x20>(ab_odd, cd_odd),
        _mm256_permute2f128_pd::<0x31>(ab_even, cd_even),
        _mm256_permute2f128_pd::<0x31>(ab_odd, cd_odd),
    ]
}

/// Squares of four by four within each half of the vectors.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn squares_8(a: __m256, b: __m256, c: __m256, d: __m256) -> [__m256; 4] {
    let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    [
        _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
        _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn transposed_8([a, b, c, d, e, f, g, h]: [__m256; 8]) -> [__m256; 8] {
    let (low, high) = (squares_8(a, b, c, d), squares_8(e, f, g, h));
    [
        _mm256_permute2f128_ps::<0x20>(low[0], high[0]),
        _mm256_permute2f128_ps::<0x20>(low[1], high[1]),
        _mm256_permute2f128_ps::<0x20>(low[2], high[2]),
        _mm256_permute2f128_ps::<0x20>(low[3], high[3]),
        _mm256_permute2f128_ps::<0x31>(low[0], high[0]),
        _mm256_permute2f128_ps::<0x31>(low[1], high[1]),
        _mm256_permute2f128_ps::<0x31>(low[2], high[2]),
        _mm256_permute2f128_ps::<0x31>(low[3], high[3]),
    ]
}

/// Of four rows, columns [0, 4 | 1, 5 | 2, 6 | 3, 7].
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn squares_8d(a: __m512d, b: __m512d, c: __m512d, d: __m512d) -> [__m512d; 4] {
    let (ab_even, ab_odd) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
    let (cd_even, cd_odd) = (_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
    [
        even_d(ab_even, cd_even),
        even_d(ab_odd, cd_odd),
        odd_d(ab_even, cd_even),
        odd_d(ab_odd, cd_odd),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn transposed_8d([a, b, c, d, e, f, g, h]: [__m512d; 8]) -> [__m512d; 8] {
    let (low, high) = (squares_8d(a, b, c, d), squares_8d(e, f, g, h));
    [
        even_d(low[0], high[0]),
        even_d(low[1], high[1]),
        even_d(low[2], high[2]),
        even_d(low[3], high[3]),
        odd_d(low[0], high[0]),
        odd_d(low[1], high[1]),
        odd_d(low[2], high[2]),
        odd_d(low[3], high[3]),
    ]
}

/// Of rows `first` to `first + 3`, squares of four by four within each quarter: vector c has the columns c, c + 4, c + 8
/// and c + 12.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn squares_16(rows: &[__m512; 16], first: usize) -> [__m512; 4] {
    let (a, b, c, d) = (rows[first], rows[first + 1], rows[first + 2], rows[first + 3]);
    let (ab, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    let (cd, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    [
        _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd),
        _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd),
        _mm512_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
        _mm512_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(crate) fn transposed_16(rows: [__m512; 16]) -> [__m512; 16] {
    let a = squares_16(&rows, 0);
    let b = squares_16(&rows, 4);
    let c = squares_16(&rows, 8);
    let d = squares_16(&rows, 12);
    let mut columns = [_mm512_setzero_ps(); 16];
    for j in 0..4 {
        let (low, low_odd) = (even(a[j], b[j]), odd(a[j], b[j]));
        let (high, high_odd) = (even(c[j], d[j]), odd(c[j], d[j]));
        columns[j] = even(low, high);
        columns[j + 4] = even(low_odd, high_odd);
        columns[j + 8] = odd(low, high);
        columns[j + 12] = odd(low_odd, high_odd);
    }
    columns
}

/// # Safety
/// As for [`Simd::interleave`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn interleave_4(from: *const f64, from_row: usize, to: *mut f64) {
    // SAFETY: the caller's promise. What is stored beyond the sixth row is overwritten by the column that follows, and
    // behind the last one there is room for it.
    unsafe {
        let row = |i: usize| _mm256_loadu_pd(from.add(i * from_row));
        let none = _mm256_setzero_pd();
        let first = transposed_4([row(0), row(1), row(2), row(3)]);
        let rest = transposed_4([row(4), row(5), none, none]);
        for (j, (first, rest)) in first.into_iter().zip(rest).enumerate() {
            _mm256_storeu_pd(to.add(j * 6), first);
            _mm256_storeu_pd(to.add(j * 6 + 4), rest);
        }
    }
}

/// # Safety
/// As for [`Simd::interleave`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn interleave_8(from: *const f32, from_row: usize, to: *mut f32) {
    // SAFETY: the caller's promise. What is stored beyond the sixth row is overwritten by the column that follows, and
    // behind the last one there is room for it.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * from_row));
        let none = _mm256_setzero_ps();
        let rows = [row(0), row(1), row(2), row(3), row(4), row(5), none, none];
        for (j, column) in transposed_8(rows).into_iter().enumerate() {
            _mm256_storeu_ps(to.add(j * 6), column);
        }
    }
}

/// # Safety
/// As for [`Simd::interleave`].
#[inline]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq")]
pub(super) unsafe fn interleave_16(from: *const f32, from_row: usize, to: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        for half in [0, 8] {
            let mut rows = [_mm256_setzero_ps(); 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(i * from_row + half));
            }
            for (j, column) in transposed_8(rows).into_iter().enumerate() {
                _mm256_storeu_ps(to.add((half + j) * 8), column);
            }
        }
    }
}

/// # Safety
/// As for [`Simd::interleave`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn interleave_8d(from: *const f64, from_row: usize, to: *mut f64) {
    // SAFETY: the caller's promise; a square of eight.
    unsafe { <super::Avx512 as Simd<f64>>::transpose(from, from_row, to, 8) }
}
