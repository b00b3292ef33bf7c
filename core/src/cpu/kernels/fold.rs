//! Sums and maxima of a line of numbers, a vector at a time.
//!
//! Lane i of 16 folds the numbers i, i + 16, i + 32, ..; then the lanes are folded in halves. Every
//! instruction set does the same additions in the same order. Sums are of f64, so that long ones of f32 stay exact.

#[cfg(target_arch = "x86_64")]
use crate::cpu::simd::{Level, level, same};
use crate::element::Float;

/// The numbers that are folded at once.
pub(super) const LANES: usize = 16;

/// A line of which `len` numbers count, the last of them in the last group.
#[derive(Clone, Copy)]
struct Line<'l, E> {
    groups: &'l [[E; LANES]],
    last: Option<&'l [E; LANES]>,
    /// How many of the last group count.
    rest: usize,
}

impl<'l, E: Copy + 'static> Line<'l, E> {
    #[inline(always)]
    fn new(numbers: &'l [E], len: usize) -> Self {
        let (groups, _) = numbers.as_chunks::<LANES>();
        let (whole, rest) = (len / LANES, len % LANES);
        let last = (rest > 0).then(|| &groups[whole]);
        Line { groups: &groups[..whole], last, rest }
    }

    /// The same line, where `T` is the same type as `E`.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn of<T: 'static>(self) -> Line<'l, T> {
        assert!(same::<E, T>());
        // SAFETY: it is the same type.
        unsafe {
            Line {
                groups: std::slice::from_raw_parts(self.groups.as_ptr().cast(), self.groups.len()),
                last: self.last.map(|last| &*std::ptr::from_ref(last).cast()),
                rest: self.rest,
            }
        }
    }

    /// The groups, the last one with something neutral in place of what does not count.
    #[inline(always)]
    fn padded(self, neutral: E) -> impl Iterator<Item = [E; LANES]> {
        let last = self
            .last
            .map(|last| std::array::from_fn(|i| if i < self.rest { last[i] } else { neutral }));
        self.groups.iter().copied().chain(last)
    }
}

/// The sum of the first `len` numbers. Behind them must be as many as fill a group of [`LANES`].
#[inline(always)]
pub(super) fn sum<E: Float>(numbers: &[E], len: usize) -> f64 {
    let line = Line::new(numbers, len);
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the level says which instructions the processor has.
        unsafe {
            match (level(), same::<E, f32>(), same::<E, f64>()) {
                (Level::Avx512 | Level::Amx, true, _) => return x86::sum_f32_avx512(line.of()),
                (Level::Avx512 | Level::Amx, _, true) => return x86::sum_f64_avx512(line.of()),
                (Level::Avx2, true, _) => return x86::sum_f32_avx2(line.of()),
                (Level::Avx2, _, true) => return x86::sum_f64_avx2(line.of()),
                _ => {}
            }
        }
    }
    let lanes = line
        .padded(E::ZERO)
        .fold([0.0; LANES], |lanes, group| std::array::from_fn(|i| lanes[i] + group[i].to_f64()));
    halves(lanes, |a, b| a + b)
}

/// The maximum of the first `len` numbers, as in [`sum`]; not-a-number where one of them is.
#[inline(always)]
pub(super) fn max<E: Float>(numbers: &[E], len: usize) -> E {
    let line = Line::new(numbers, len);
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: as above.
        unsafe {
            if same::<E, f32>() && level() >= Level::Avx512 {
                return E::from_f64(f64::from(x86::max_f32_avx512(line.of())));
            }
            if same::<E, f32>() && level() == Level::Avx2 {
                return E::from_f64(f64::from(x86::max_f32_avx2(line.of())));
            }
        }
    }
    let lanes = line.padded(E::NEG_INFINITY).fold([E::NEG_INFINITY; LANES], |lanes, group| {
        std::array::from_fn(|i| larger(lanes[i], group[i]))
    });
    halves(lanes, larger)
}

/// The larger of two; what is not a number stays.
#[inline(always)]
pub(super) fn larger<E: Float>(a: E, x: E) -> E {
    if x > a || x.to_f64().is_nan() { x } else { a }
}

/// The fold of the lanes.
#[inline(always)]
fn halves<T: Copy>(mut lanes: [T; LANES], fold: impl Fn(T, T) -> T) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = fold(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{LANES, Line};

    /// The numbers of a group that count.
    #[inline]
    fn mask(rest: usize) -> u16 {
        ((1_u32 << rest) - 1) as u16
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
    fn load_f32(group: &[f32; LANES]) -> __m512 {
        // SAFETY: a group has sixteen numbers.
        unsafe { _mm512_loadu_ps(group.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
    pub fn sum_f32_avx512(line: Line<'_, f32>) -> f64 {
        let [mut low, mut high] = [_mm512_setzero_pd(); 2];
        let last = line.last.map(|last| _mm512_maskz_mov_ps(mask(line.rest), load_f32(last)));
        for numbers in line.groups.iter().map(|group| load_f32(group)).chain(last) {
            low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(numbers)));
            high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(numbers)));
        }
        sum_of_8(_mm512_add_pd(low, high))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
    pub fn sum_f64_avx512(line: Line<'_, f64>) -> f64 {
        // SAFETY: a group has sixteen numbers.
        let load =
            |group: &[f64; LANES], i: usize| unsafe { _mm512_loadu_pd(group.as_ptr().add(8 * i)) };
        let mut lanes = [_mm512_setzero_pd(); 2];
        for group in line.groups {
            lanes = std::array::from_fn(|i| _mm512_add_pd(lanes[i], load(group, i)));
        }
        if let Some(last) = line.last {
            let mask = mask(line.rest).to_le_bytes();
            lanes = std::array::from_fn(|i| {
                _mm512_add_pd(lanes[i], _mm512_maskz_mov_pd(mask[i], load(last, i)))
            });
        }
        sum_of_8(_mm512_add_pd(lanes[0], lanes[1]))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
    fn sum_of_8(lanes: __m512d) -> f64 {
        let (low, high) = (_mm512_castpd512_pd256(lanes), _mm512_extractf64x4_pd::<1>(lanes));
        sum_of_4(_mm256_add_pd(low, high))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum_of_4(lanes: __m256d) -> f64 {
        let (low, high) = (_mm256_castpd256_pd128(lanes), _mm256_extractf128_pd::<1>(lanes));
        let sums = _mm_add_pd(low, high);
        _mm_cvtsd_f64(_mm_add_sd(sums, _mm_unpackhi_pd(sums, sums)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub fn sum_f32_avx2(line: Line<'_, f32>) -> f64 {
        let mut lanes = [_mm256_setzero_pd(); 4];
        for group in line.padded(0.0) {
            // SAFETY: a group has sixteen numbers.
            let load = |i: usize| unsafe { _mm_loadu_ps(group.as_ptr().add(4 * i)) };
            lanes = std::array::from_fn(|i| _mm256_add_pd(lanes[i], _mm256_cvtps_pd(load(i))));
        }
        sum_of_16(lanes)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub fn sum_f64_avx2(line: Line<'_, f64>) -> f64 {
        let mut lanes = [_mm256_setzero_pd(); 4];
        for group in line.padded(0.0) {
            // SAFETY: as above.
            let load = |i: usize| unsafe { _mm256_loadu_pd(group.as_ptr().add(4 * i)) };
            lanes = std::array::from_fn(|i| _mm256_add_pd(lanes[i], load(i)));
        }
        sum_of_16(lanes)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum_of_16([a, b, c, d]: [__m256d; 4]) -> f64 {
        sum_of_4(_mm256_add_pd(_mm256_add_pd(a, c), _mm256_add_pd(b, d)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
    pub fn max_f32_avx512(line: Line<'_, f32>) -> f32 {
        let none = _mm512_set1_ps(f32::NEG_INFINITY);
        let (mut lanes, mut nan) = (none, 0);
        let last = line.last.map(|last| _mm512_mask_mov_ps(none, mask(line.rest), load_f32(last)));
        for numbers in line.groups.iter().map(|group| load_f32(group)).chain(last) {
            nan |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(numbers, numbers);
            lanes = _mm512_max_ps(lanes, numbers);
        }
        if nan != 0 { f32::NAN } else { _mm512_reduce_max_ps(lanes) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub fn max_f32_avx2(line: Line<'_, f32>) -> f32 {
        let (mut lanes, mut nan) = ([_mm256_set1_ps(f32::NEG_INFINITY); 2], _mm256_setzero_ps());
        for group in line.padded(f32::NEG_INFINITY) {
            for (i, lanes) in lanes.iter_mut().enumerate() {
                // SAFETY: as above.
                let numbers = unsafe { _mm256_loadu_ps(group.as_ptr().add(8 * i)) };
                nan = _mm256_or_ps(nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(numbers, numbers));
                *lanes = _mm256_max_ps(*lanes, numbers);
            }
        }
        if _mm256_movemask_ps(nan) != 0 {
            return f32::NAN;
        }
        let lanes = _mm256_max_ps(lanes[0], lanes[1]);
        let lanes = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
        let lanes = _mm_max_ps(lanes, _mm_movehl_ps(lanes, lanes));
        _mm_cvtss_f32(_mm_max_ss(lanes, _mm_movehdup_ps(lanes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fold without vectors, in the order that all instruction sets have.
    fn twin<E: Float>(numbers: &[E], len: usize) -> (f64, f64) {
        let (mut sums, mut maxima) = ([0.0; LANES], [f64::NEG_INFINITY; LANES]);
        for (i, x) in numbers[..len].iter().enumerate() {
            sums[i % LANES] += x.to_f64();
            maxima[i % LANES] = larger(maxima[i % LANES], x.to_f64());
        }
        (halves(sums, |a, b| a + b), halves(maxima, larger))
    }

    fn numbers<E: Float>(len: usize) -> Vec<E> {
        let number = |i: usize| ((i * 7919) % 1009) as f64 / 97.0 - 5.0;
        (0..len.next_multiple_of(LANES)).map(|i| E::from_f64(number(i))).collect()
    }

    fn same_bits(a: f64, b: f64) {
        assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{a} and {b}");
    }

    fn check<E: Float>(numbers: &[E], len: usize) {
        let (expected_sum, expected_max) = twin(numbers, len);
        same_bits(sum(numbers, len), expected_sum);
        same_bits(max(numbers, len).to_f64(), expected_max);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let line = Line::new(numbers, len);
            // SAFETY: the processor has the instructions.
            unsafe {
                if same::<E, f32>() {
                    same_bits(x86::sum_f32_avx2(line.of()), expected_sum);
                    same_bits(f64::from(x86::max_f32_avx2(line.of())), expected_max);
                } else {
                    same_bits(x86::sum_f64_avx2(line.of()), expected_sum);
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_folds_in_the_same_order() {
        for len in [0, 1, 7, 15, 16, 17, 31, 65, 255, 256, 257, 1000] {
            check::<f32>(&numbers(len), len);
            check::<f64>(&numbers(len), len);
            let Some(last) = len.checked_sub(1) else { continue };
            // What is not a number counts, but not behind the end.
            let mut some = numbers::<f32>(len);
            some[last] = f32::NAN;
            check(&some, len);
            check(&some, last);
        }
    }
}
