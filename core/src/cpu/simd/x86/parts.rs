//! Parts of vectors, their lanes in pairs, and choices between two.

use std::arch::x86_64::*;

/// The lanes that [`_mm512_permutex2var_ps`] takes: the even ones of two vectors, the odd ones, and those of their lower
/// and upper halves in turn.
const LANES_16: [[i32; 16]; 4] = {
    let mut lanes = [[0; 16]; 4];
    let mut i = 0;
    while i < 16 {
        lanes[0][i] = 2 * i as i32;
        lanes[1][i] = 2 * i as i32 + 1;
        lanes[2][i] = (i / 2 + i % 2 * 16) as i32;
        lanes[3][i] = lanes[2][i] + 8;
        i += 1;
    }
    lanes
};

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn lanes_16(a: __m512, b: __m512, which: usize) -> __m512 {
    // SAFETY: each entry is as long as a vector.
    let lanes = unsafe { _mm512_loadu_si512(LANES_16[which].as_ptr().cast()) };
    _mm512_permutex2var_ps(a, lanes, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn split_16(a: __m512, b: __m512) -> [__m512; 2] {
    [lanes_16(a, b, 0), lanes_16(a, b, 1)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn merge_16(even: __m512, odd: __m512) -> [__m512; 2] {
    [lanes_16(even, odd, 2), lanes_16(even, odd, 3)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn wins_16(x: __m512, best: __m512) -> __mmask16 {
    _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, best) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn select_16(mask: __mmask16, a: __m512, b: __m512) -> __m512 {
    _mm512_mask_blend_ps(mask, b, a)
}

/// # Safety
/// `p` must be good for `count` elements, fewer than a vector has.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn load_some_16(p: *const f32, count: usize) -> __m512 {
    // SAFETY: the caller's promise; other lanes are not read.
    unsafe { _mm512_maskz_loadu_ps((1 << count) - 1, p) }
}

/// # Safety
/// As for [`load_some_16`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn store_some_16(p: *mut f32, v: __m512, count: usize) {
    // SAFETY: the caller's promise; other lanes are not written.
    unsafe { _mm512_mask_storeu_ps(p, (1 << count) - 1, v) }
}

/// The lanes that [`_mm512_permutex2var_pd`] takes: the even ones of two vectors, the odd ones, and those of their lower
/// and upper halves in turn.
const LANES_8D: [[i64; 8]; 4] = {
    let mut lanes = [[0; 8]; 4];
    let mut i = 0;
    while i < 8 {
        lanes[0][i] = 2 * i as i64;
        lanes[1][i] = 2 * i as i64 + 1;
        lanes[2][i] = (i / 2 + i % 2 * 8) as i64;
        lanes[3][i] = lanes[2][i] + 4;
        i += 1;
    }
    lanes
};

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn lanes_8d(a: __m512d, b: __m512d, which: usize) -> __m512d {
    // SAFETY: each entry is as long as a vector.
    let lanes = unsafe { _mm512_loadu_si512(LANES_8D[which].as_ptr().cast()) };
    _mm512_permutex2var_pd(a, lanes, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn split_8d(a: __m512d, b: __m512d) -> [__m512d; 2] {
    [lanes_8d(a, b, 0), lanes_8d(a, b, 1)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn merge_8d(even: __m512d, odd: __m512d) -> [__m512d; 2] {
    [lanes_8d(even, odd, 2), lanes_8d(even, odd, 3)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn wins_8d(x: __m512d, best: __m512d) -> __mmask8 {
    _mm512_cmp_pd_mask::<_CMP_GT_OQ>(x, best) | _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(x, x)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn select_8d(mask: __mmask8, a: __m512d, b: __m512d) -> __m512d {
    _mm512_mask_blend_pd(mask, b, a)
}

/// # Safety
/// `p` must be good for `count` elements, fewer than a vector has.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn load_some_8d(p: *const f64, count: usize) -> __m512d {
    // SAFETY: the caller's promise; other lanes are not read.
    unsafe { _mm512_maskz_loadu_pd((1 << count) - 1, p) }
}

/// # Safety
/// As for [`load_some_8d`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn store_some_8d(p: *mut f64, v: __m512d, count: usize) {
    // SAFETY: the caller's promise; other lanes are not written.
    unsafe { _mm512_mask_storeu_pd(p, (1 << count) - 1, v) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn split_8(a: __m256, b: __m256) -> [__m256; 2] {
    // Both leave the quarters as 0, 2, 1, 3.
    let quarters = |v: __m256| _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(v));
    let even = quarters(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
    let odd = quarters(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
    [_mm256_castpd_ps(even), _mm256_castpd_ps(odd)]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn merge_8(even: __m256, odd: __m256) -> [__m256; 2] {
    let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
    [_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high)]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn wins_8(x: __m256, best: __m256) -> __m256 {
    _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, best), _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn select_8(mask: __m256, a: __m256, b: __m256) -> __m256 {
    _mm256_blendv_ps(b, a, mask)
}

/// A mask of the first lanes: a vector that begins in the middle of ones and zeros.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn first_8(count: usize) -> __m256i {
    const LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: at most 8 lanes are asked for, so that the vector lies in the array.
    unsafe { _mm256_loadu_si256(LANES.as_ptr().add(8 - count.min(8)).cast()) }
}

/// # Safety
/// `p` must be good for `count` elements, fewer than a vector has.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn load_some_8(p: *const f32, count: usize) -> __m256 {
    // SAFETY: the caller's promise; other lanes are not read.
    unsafe { _mm256_maskload_ps(p, first_8(count)) }
}

/// # Safety
/// As for [`load_some_8`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn store_some_8(p: *mut f32, v: __m256, count: usize) {
    // SAFETY: the caller's promise; other lanes are not written.
    unsafe { _mm256_maskstore_ps(p, first_8(count), v) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn split_4(a: __m256d, b: __m256d) -> [__m256d; 2] {
    [
        _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpacklo_pd(a, b)),
        _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpackhi_pd(a, b)),
    ]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn merge_4(even: __m256d, odd: __m256d) -> [__m256d; 2] {
    let (low, high) = (_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd));
    [_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high)]
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn wins_4(x: __m256d, best: __m256d) -> __m256d {
    _mm256_or_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(x, best), _mm256_cmp_pd::<_CMP_UNORD_Q>(x, x))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn select_4(mask: __m256d, a: __m256d, b: __m256d) -> __m256d {
    _mm256_blendv_pd(b, a, mask)
}

/// A mask of the first lanes: a vector that begins in the middle of ones and zeros.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn first_4(count: usize) -> __m256i {
    const LANES: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
    // SAFETY: at most 4 lanes are asked for, so that the vector lies in the array.
    unsafe { _mm256_loadu_si256(LANES.as_ptr().add(4 - count.min(4)).cast()) }
}

/// # Safety
/// `p` must be good for `count` elements, fewer than a vector has.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn load_some_4(p: *const f64, count: usize) -> __m256d {
    // SAFETY: the caller's promise; other lanes are not read.
    unsafe { _mm256_maskload_pd(p, first_4(count)) }
}

/// # Safety
/// As for [`load_some_4`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn store_some_4(p: *mut f64, v: __m256d, count: usize) {
    // SAFETY: the caller's promise; other lanes are not written.
    unsafe { _mm256_maskstore_pd(p, first_4(count), v) }
}
