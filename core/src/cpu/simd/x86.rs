//! Vectors of x86-64: AVX2 with fused multiply-add, and AVX-512.

use std::arch::x86_64::*;

use super::Simd;
use parts::*;
use squares::*;

pub(crate) mod amx;
mod parts;
mod squares;

pub(crate) use squares::transposed_16;

/// AVX2 with fused multiply-add.
pub struct Avx2;
/// AVX-512.
pub struct Avx512;

macro_rules! simd {
    (
        $set:ident, $t:ident, $v:ident, $lanes:literal, $rows:literal,
        $zero:ident $splat:ident $load:ident $store:ident $add:ident $mul_add:ident $sum:ident $sums:ident
        $transposed:ident $interleave:ident
        $m:ident $wins:ident $select:ident $split:ident $merge:ident $load_some:ident $store_some:ident
    ) => {
        // SAFETY: the functions use only instructions of the set.
        unsafe impl Simd<$t> for $set {
            type V = $v;
            type M = $m;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;
            #[inline(always)]
            unsafe fn zero() -> $v {
                // SAFETY: the caller's promise, here and below.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> $v {
                // SAFETY: as above.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> $v {
                // SAFETY: as above.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, v: $v) {
                // SAFETY: as above.
                unsafe { $store(p, v) }
            }
            #[inline(always)]
            unsafe fn add(a: $v, b: $v) -> $v {
                // SAFETY: as above.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: $v, b: $v, c: $v) -> $v {
                // SAFETY: as above.
                unsafe { $mul_add(a, b, c) }
            }
            #[inline(always)]
            unsafe fn sums(vectors: *const $v) -> $v {
                // SAFETY: as above.
                unsafe { $sums(*vectors.cast()) }
            }
            #[inline(always)]
            unsafe fn sum(v: $v) -> $t {
                // SAFETY: as above.
                unsafe { $sum(v) }
            }
            #[inline(always)]
            unsafe fn wins(x: $v, best: $v) -> $m {
                // SAFETY: as above.
                unsafe { $wins(x, best) }
            }
            #[inline(always)]
            unsafe fn select(mask: $m, a: $v, b: $v) -> $v {
                // SAFETY: as above.
                unsafe { $select(mask, a, b) }
            }
            #[inline(always)]
            unsafe fn split(a: $v, b: $v) -> [$v; 2] {
                // SAFETY: as above.
                unsafe { $split(a, b) }
            }
            #[inline(always)]
            unsafe fn merge(even: $v, odd: $v) -> [$v; 2] {
                // SAFETY: as above.
                unsafe { $merge(even, odd) }
            }
            #[inline(always)]
            unsafe fn load_some(p: *const $t, count: usize) -> $v {
                // SAFETY: as above.
                unsafe { $load_some(p, count) }
            }
            #[inline(always)]
            unsafe fn store_some(p: *mut $t, v: $v, count: usize) {
                // SAFETY: as above.
                unsafe { $store_some(p, v, count) }
            }
            #[inline(always)]
            unsafe fn interleave(from: *const $t, from_row: usize, to: *mut $t) {
                // SAFETY: as above.
                unsafe { $interleave(from, from_row, to) }
            }
            #[inline(always)]
            unsafe fn transpose(from: *const $t, from_row: usize, to: *mut $t, to_row: usize) {
                // SAFETY: as above.
                unsafe {
                    let mut rows = [$zero(); $lanes];
                    for (i, row) in rows.iter_mut().enumerate() {
                        *row = $load(from.add(i * from_row));
                    }
                    for (j, column) in $transposed(rows).into_iter().enumerate() {
                        $store(to.add(j * to_row), column);
                    }
                }
            }
        }
    };
}

simd! {
    Avx2, f32, __m256, 8, 6,
    _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps
    sum_8 sums_8 transposed_8 interleave_8
    __m256 wins_8 select_8 split_8 merge_8 load_some_8 store_some_8
}
simd! {
    Avx2, f64, __m256d, 4, 6,
    _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_fmadd_pd
    sum_4 sums_4 transposed_4 interleave_4
    __m256d wins_4 select_4 split_4 merge_4 load_some_4 store_some_4
}
simd! {
    Avx512, f32, __m512, 16, 8,
    _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_fmadd_ps
    sum_16 sums_16 transposed_16 interleave_16
    __mmask16 wins_16 select_16 split_16 merge_16 load_some_16 store_some_16
}
simd! {
    Avx512, f64, __m512d, 8, 8,
    _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_fmadd_pd
    sum_8d sums_8d transposed_8d interleave_8d
    __mmask8 wins_8d select_8d split_8d merge_8d load_some_8d store_some_8d
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::{Level, level};
    use crate::element::Float;

    /// # Safety
    /// The processor must have the instructions of `S`.
    unsafe fn check<E: Float, S: Simd<E>>() {
        let n = S::LANES;
        let numbers: Vec<E> = (0..n * n.max(S::ROWS)).map(E::from_usize).collect();
        let mut transposed = vec![E::ZERO; n * (n + 3)];
        let mut strip = vec![E::ZERO; n * S::ROWS + n];
        let mut vectors: Vec<S::V> = Vec::new();
        let mut sums = vec![E::ZERO; n];
        // SAFETY: the vectors have these sizes.
        unsafe {
            S::transpose(numbers.as_ptr(), n, transposed.as_mut_ptr(), n + 3);
            S::interleave(numbers.as_ptr(), n - 1, strip.as_mut_ptr());
            vectors.extend((0..n).map(|i| S::load(numbers.as_ptr().add(i * n))));
            S::store(sums.as_mut_ptr(), S::sums(vectors.as_ptr()));
        }
        for (i, &element) in strip[..n * S::ROWS].iter().enumerate() {
            assert_eq!(element, numbers[i % S::ROWS * (n - 1) + i / S::ROWS]);
        }
        // SAFETY: as above.
        unsafe { check_parts::<E, S>(&numbers) };
        for i in 0..n {
            for j in 0..n {
                assert_eq!(transposed[j * (n + 3) + i], numbers[i * n + j]);
            }
            let expected = E::from_usize((i * n..(i + 1) * n).sum());
            // SAFETY: the caller's promise.
            assert_eq!((sums[i], unsafe { S::sum(vectors[i]) }), (expected, expected));
        }
    }

    /// # Safety
    /// The processor must have the instructions of `S`.
    unsafe fn check_parts<E: Float, S: Simd<E>>(numbers: &[E]) {
        let n = S::LANES;
        let nan = E::NEG_INFINITY * E::ZERO;
        let mut special = numbers[..n].to_vec();
        special[1] = nan;
        let store = |v: S::V| {
            let mut lanes = vec![E::ZERO; n];
            // SAFETY: the vector has `n` lanes.
            unsafe { S::store(lanes.as_mut_ptr(), v) };
            lanes
        };
        // SAFETY: the slices have as many lanes, and the caller's promise.
        unsafe {
            let [a, b] = [0, n].map(|i| S::load(numbers.as_ptr().add(i)));
            let [even, odd] = S::split(a, b);
            for i in 0..n {
                assert_eq!((store(even)[i], store(odd)[i]), (numbers[2 * i], numbers[2 * i + 1]));
            }
            let [first, second] = S::merge(even, odd).map(store);
            assert_eq!((&first[..], &second[..]), (&numbers[..n], &numbers[n..2 * n]));
            let special = S::load(special.as_ptr());
            let won = |x, best| store(S::select(S::wins(x, best), S::splat(E::ONE), S::zero()));
            assert_eq!(won(b, a), vec![E::ONE; n]);
            assert_eq!(won(a, a), vec![E::ZERO; n]);
            let only_nan: Vec<E> = (0..n).map(|i| E::from_usize(usize::from(i == 1))).collect();
            assert_eq!(won(special, a), only_nan);
            assert_eq!(won(a, special), vec![E::ZERO; n]);
            for count in 0..n {
                let some = store(S::load_some(numbers[n - count..].as_ptr(), count));
                assert_eq!(some[..count], numbers[n - count..n]);
                assert!(some[count..].iter().all(|&x| x == E::ZERO));
                let mut target = vec![nan; n + 1];
                S::store_some(target.as_mut_ptr(), b, count);
                assert_eq!(target[..count], numbers[n..n + count]);
                assert!(target[count..].iter().all(|x| !x.is_finite()));
            }
        }
    }

    #[test]
    fn squares_are_transposed_and_lanes_added() {
        // SAFETY: these vectors need no special instructions.
        unsafe {
            check_parts::<f32, crate::cpu::simd::Base>(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        }
        // SAFETY: the level says which instructions there are.
        unsafe {
            if level() != Level::Base {
                check::<f32, Avx2>();
                check::<f64, Avx2>();
            }
            if level() >= Level::Avx512 {
                check::<f32, Avx512>();
                check::<f64, Avx512>();
            }
        }
    }
}
