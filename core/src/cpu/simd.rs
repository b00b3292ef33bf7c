//! Vectors of the widest kind that the processor has, found at run time.
//!
//! Two ways to use them. Loops over slices are written once, `#[inline(always)]`, and called from a
//! function for each [`Level`] with its `target_feature`: the compiler vectorises them. What it does not do
//! well, the inner loops of products, convolutions and pooling, is written with [`Simd`].

use std::any::TypeId;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::element::Float;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Level {
    /// What every processor of the target has.
    Base,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512.
    Avx512,
    /// AVX-512, and AMX for bfloat16.
    Amx,
}

/// The best level of this processor.
#[inline(always)]
pub(crate) fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = super::tests::level::chosen() {
        return level;
    }
    static LEVEL: AtomicU8 = AtomicU8::new(0);
    match LEVEL.load(Ordering::Relaxed) {
        0 => {
            let level = detect();
            LEVEL.store(level as u8 + 1, Ordering::Relaxed);
            level
        }
        1 => Level::Base,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => Level::Amx,
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
            return if x86::amx::is_usable() { Level::Amx } else { Level::Avx512 };
        }
        if avx2 {
            return Level::Avx2;
        }
    }
    Level::Base
}

/// The levels of this processor, the best one last.
#[cfg(test)]
pub(crate) fn levels() -> &'static [Level] {
    match detect() {
        Level::Base => &[Level::Base],
        Level::Avx2 => &[Level::Base, Level::Avx2],
        Level::Avx512 => &[Level::Base, Level::Avx2, Level::Avx512],
        Level::Amx => &[Level::Base, Level::Avx2, Level::Avx512, Level::Amx],
    }
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
            $crate::cpu::simd::Level::Avx512 | $crate::cpu::simd::Level::Amx => unsafe { avx512::<$($names)*>($($arg),*) },
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

/// Begins to bring the cache line of an address, which need not be good, into the first cache.
#[inline(always)]
pub(crate) fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of the target has the instruction, and it never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Whether two types are the same one, so that a pointer to one may be used as a pointer to the other.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn same<A: 'static, B: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<B>()
}

/// Vectors of `E` in one instruction set.
///
/// # Safety
/// Every function may be called only where the processor has the instruction set; pointers must be
/// valid for the lanes that are read or written.
pub unsafe trait Simd<E>: 'static {
    /// A vector.
    type V: Copy;
    /// A choice for each lane.
    type M: Copy;
    /// The elements of a vector.
    const LANES: usize;
    /// The rows of a tile of a product whose accumulators fit in the registers.
    const ROWS: usize;
    unsafe fn zero() -> Self::V;
    unsafe fn splat(x: E) -> Self::V;
    unsafe fn load(p: *const E) -> Self::V;
    unsafe fn store(p: *mut E, v: Self::V);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The sum of the lanes of each of `LANES` vectors.
    unsafe fn sums(vectors: *const Self::V) -> Self::V;
    /// The sum of the lanes, in the same order as [`Simd::sums`].
    unsafe fn sum(v: Self::V) -> E;
    /// Where `x` takes the place of the maximum `best` so far: it is larger, or not a number.
    unsafe fn wins(x: Self::V, best: Self::V) -> Self::M;
    /// `a` where the mask says so, `b` elsewhere.
    unsafe fn select(mask: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// The even and the odd lanes of two vectors, one after another.
    unsafe fn split(a: Self::V, b: Self::V) -> [Self::V; 2];
    /// What [`Simd::split`] has split.
    unsafe fn merge(even: Self::V, odd: Self::V) -> [Self::V; 2];
    /// The first `count` lanes, fewer than all; the others are zero.
    unsafe fn load_some(p: *const E, count: usize) -> Self::V;
    /// Stores the first `count` lanes, fewer than all.
    unsafe fn store_some(p: *mut E, v: Self::V, count: usize);
    /// Writes `ROWS` rows of `LANES` elements, `from_row` apart, column after column; up to a vector beyond the last.
    unsafe fn interleave(from: *const E, from_row: usize, to: *mut E);
    /// Writes a square of `LANES` rows, `from_row` apart, with rows and columns exchanged to rows `to_row` apart.
    unsafe fn transpose(from: *const E, from_row: usize, to: *mut E, to_row: usize);
}

/// Four elements, for the compiler to do what it can with.
pub struct Base;

// SAFETY: no special instructions.
unsafe impl<E: Float> Simd<E> for Base {
    type V = [E; 4];
    type M = [bool; 4];
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
    unsafe fn add(a: [E; 4], b: [E; 4]) -> [E; 4] {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn mul_add(a: [E; 4], b: [E; 4], c: [E; 4]) -> [E; 4] {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn sums(vectors: *const [E; 4]) -> [E; 4] {
        // SAFETY: the caller's promise, here and below.
        std::array::from_fn(|i| unsafe { <Base as Simd<E>>::sum(*vectors.add(i)) })
    }
    #[inline(always)]
    unsafe fn sum(v: [E; 4]) -> E {
        (v[0] + v[2]) + (v[1] + v[3])
    }
    #[inline(always)]
    #[allow(clippy::eq_op)]
    unsafe fn wins(x: [E; 4], best: [E; 4]) -> [bool; 4] {
        std::array::from_fn(|i| (x[i] > best[i]) | (x[i] != x[i]))
    }
    #[inline(always)]
    unsafe fn select(mask: [bool; 4], a: [E; 4], b: [E; 4]) -> [E; 4] {
        std::array::from_fn(|i| if mask[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn split(a: [E; 4], b: [E; 4]) -> [[E; 4]; 2] {
        [[a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]]]
    }
    #[inline(always)]
    unsafe fn merge(even: [E; 4], odd: [E; 4]) -> [[E; 4]; 2] {
        [[even[0], odd[0], even[1], odd[1]], [even[2], odd[2], even[3], odd[3]]]
    }
    #[inline(always)]
    unsafe fn load_some(p: *const E, count: usize) -> [E; 4] {
        // SAFETY: as above.
        std::array::from_fn(|i| if i < count { unsafe { *p.add(i) } } else { E::ZERO })
    }
    #[inline(always)]
    unsafe fn store_some(p: *mut E, v: [E; 4], count: usize) {
        for (i, &x) in v.iter().enumerate().take(count) {
            // SAFETY: as above.
            unsafe { *p.add(i) = x };
        }
    }
    #[inline(always)]
    unsafe fn interleave(from: *const E, from_row: usize, to: *mut E) {
        // SAFETY: as above; a square of four.
        unsafe { <Base as Simd<E>>::transpose(from, from_row, to, 4) }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const E, from_row: usize, to: *mut E, to_row: usize) {
        for i in 0..4 {
            for j in 0..4 {
                // SAFETY: as above.
                unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;
/// The vectors of an element type.
pub trait Vectors<E> {
    /// Those of AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Simd<E>;
    /// Those of AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Simd<E>;
}

/// Work on elements `E`, written once for the vectors of all instruction sets.
pub(crate) trait Vectorised<E: Float> {
    /// Does the work. `#[inline(always)]`, so that it is compiled with the instructions of `S`.
    ///
    /// # Safety
    /// The processor must have the instructions of `S`; and what the work itself asks for.
    unsafe fn run<S: Simd<E>>(self);
}

/// Does work with the best vectors of this processor.
///
/// # Safety
/// What the work asks for.
pub(crate) unsafe fn vectorised<E: Float, W: Vectorised<E>>(work: W) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
        unsafe fn avx512<E: Float, W: Vectorised<E>>(work: W) {
            // SAFETY: the caller's promise; this function has the instructions.
            unsafe { work.run::<<E::Loops as Vectors<E>>::Avx512>() }
        }
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2<E: Float, W: Vectorised<E>>(work: W) {
            // SAFETY: as above.
            unsafe { work.run::<<E::Loops as Vectors<E>>::Avx2>() }
        }
        match level() {
            // SAFETY: the processor has the instructions; the rest is the caller's promise.
            Level::Avx512 | Level::Amx => return unsafe { avx512(work) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { avx2(work) },
            Level::Base => {}
        }
    }
    // SAFETY: the caller's promise; these vectors need no special instructions.
    unsafe { work.run::<Base>() }
}
