//! Vectors of the widest kind that the processor has, found at run time.
//!
//! Two ways to use them. Loops over slices are written once, `#[inline(always)]`, and called from a
//! function for each [`Level`] with its `target_feature`: the compiler vectorises them. The inner
//! kernels of products, which it does not do well, are written with [`Simd`].

use std::any::TypeId;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::element::Float;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Base,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512.
    Avx512,
}

/// The best level of this processor.
#[inline(always)]
pub(crate) fn level() -> Level {
    static LEVEL: AtomicU8 = AtomicU8::new(0);
    match LEVEL.load(Ordering::Relaxed) {
        0 => {
            let level = detect();
            LEVEL.store(level as u8 + 1, Ordering::Relaxed);
            level
        }
        1 => Level::Base,
        2 => Level::Avx2,
        _ => Level::Avx512,
    }
}

#[cold]
fn detect() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        if avx2 && avx512 {
            return Level::Avx512;
        }
        if avx2 {
            return Level::Avx2;
        }
    }
    Level::Base
}

/// Calls `$body::<names>(args)`, an `#[inline(always)]` function, compiled for each level.
macro_rules! for_each_level {
    ($level:expr, [$($generics:tt)*] [$($names:tt)*], $($body:ident)::+, ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
        fn avx512<$($generics)*>($($arg: $ty),*) $(-> $ret)? {
            // SAFETY: the promise that the caller of the macro makes for the body.
            #[allow(unused_unsafe)]
            unsafe { $($body)::+::<$($names)*>($($arg),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2<$($generics)*>($($arg: $ty),*) $(-> $ret)? {
            // SAFETY: as above.
            #[allow(unused_unsafe)]
            unsafe { $($body)::+::<$($names)*>($($arg),*) }
        }
        match $level {
            // SAFETY: the level says that the processor has these instructions.
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::simd::Level::Avx512 => unsafe { avx512::<$($names)*>($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::simd::Level::Avx2 => unsafe { avx2::<$($names)*>($($arg),*) },
            // SAFETY: the promise that the caller of the macro makes for the body.
            #[allow(unused_unsafe)]
            _ => unsafe { $($body)::+::<$($names)*>($($arg),*) },
        }
    }};
}
pub(crate) use for_each_level;

/// Whether two types are the same one, so that a pointer to one may be used as a pointer to the other.
#[inline(always)]
pub(crate) fn same<A: 'static, B: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<B>()
}

/// Vectors of `E` in one instruction set.
///
/// # Safety
/// Every function may be called only where the processor has the instruction set; pointers must be
/// valid for the lanes that are read or written.
pub(crate) unsafe trait Simd<E: Float>: 'static {
    /// A vector.
    type V: Copy;
    /// The elements of a vector.
    const LANES: usize;
    /// The rows of a tile of a product whose accumulators fit in the registers.
    const ROWS: usize;
    unsafe fn zero() -> Self::V;
    unsafe fn splat(x: E) -> Self::V;
    unsafe fn load(p: *const E) -> Self::V;
    unsafe fn store(p: *mut E, v: Self::V);
    /// `a * b + c`.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The sum of the lanes.
    unsafe fn sum(v: Self::V) -> E;
}

/// Four elements, for the compiler to do what it can with.
pub(crate) struct Base;

// SAFETY: no special instructions.
unsafe impl<E: Float> Simd<E> for Base {
    type V = [E; 4];
    const LANES: usize = 4;
    const ROWS: usize = 4;
    #[inline(always)]
    unsafe fn zero() -> [E; 4] {
        [E::ZERO; 4]
    }
    #[inline(always)]
    unsafe fn splat(x: E) -> [E; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(p: *const E) -> [E; 4] {
        // SAFETY: the caller's promise.
        unsafe { p.cast::<[E; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut E, v: [E; 4]) {
        // SAFETY: the caller's promise.
        unsafe { p.cast::<[E; 4]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: [E; 4], b: [E; 4], c: [E; 4]) -> [E; 4] {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn sum(v: [E; 4]) -> E {
        (v[0] + v[2]) + (v[1] + v[3])
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Simd;
    use std::arch::x86_64::*;

    /// AVX2 with fused multiply-add.
    pub(crate) struct Avx2;
    /// AVX-512.
    pub(crate) struct Avx512;

    macro_rules! simd {
        (
            $set:ident, $t:ident, $v:ident, $lanes:literal, $rows:literal,
            $zero:ident $splat:ident $load:ident $store:ident $mul_add:ident $sum:expr
        ) => {
            // SAFETY: the functions use only instructions of the set.
            unsafe impl Simd<$t> for $set {
                type V = $v;
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
                unsafe fn mul_add(a: $v, b: $v, c: $v) -> $v {
                    // SAFETY: as above.
                    unsafe { $mul_add(a, b, c) }
                }
                #[inline(always)]
                unsafe fn sum(v: $v) -> $t {
                    // SAFETY: as above.
                    unsafe { $sum(v) }
                }
            }
        };
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum_8(v: __m256) -> f32 {
        let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
    }
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum_4(v: __m256d) -> f64 {
        let v = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)))
    }

    simd! {
        Avx2, f32, __m256, 8, 6,
        _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps sum_8
    }
    simd! {
        Avx2, f64, __m256d, 4, 6,
        _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd sum_4
    }
    simd! {
        Avx512, f32, __m512, 16, 8,
        _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps
        _mm512_reduce_add_ps
    }
    simd! {
        Avx512, f64, __m512d, 8, 8,
        _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd
        _mm512_reduce_add_pd
    }
}
