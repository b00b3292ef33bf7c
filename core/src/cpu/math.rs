//! Elementary functions without branches or calls, so that loops over them are vectorised.
//!
//! Each function states its largest relative error, which is tested over all exponents, signs and subnormal numbers;
//! a subnormal result may be one off in its last place besides. Infinities, not-a-numbers, overflow and underflow come
//! out as in `std`.
//!
//! Selects are written so that a comparison with a not-a-number keeps it: `if x < lo { lo } else { x }`.

macro_rules! functions {
    (
        $t:ident, bits $bits:ident, signed $int:ident, mantissa $mantissa:literal, bias $bias:literal,
        round $round:expr, ln2 $ln2_high:literal $ln2_low:literal,
        exp from $exp_low:literal to $exp_high:literal, tanh to $tanh_high:literal,
        subnormal $tiny:expr, $tiny_shift:literal
    ) => {
        /// `2^n` for `n` in the range of normal numbers.
        #[inline(always)]
        fn power_of_two(n: $int) -> $t {
            $t::from_bits((n.wrapping_add($bias) as $bits) << $mantissa)
        }

        /// `n` and `r` with `x = n ln 2 + r` and |r| <= ln 2 / 2 (Cody and Waite: ln 2 in two parts).
        /// Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
        #[inline(always)]
        fn split(x: $t) -> ($int, $t) {
            const ROUND: $t = $round;
            let shifted = x * std::$t::consts::LOG2_E + ROUND;
            let n = shifted - ROUND;
            let r = (x - n * $ln2_high) - n * $ln2_low;
            ((shifted.to_bits() as $int).wrapping_sub(ROUND.to_bits() as $int), r)
        }

        /// e to the power of x: `2^n e^r`, the power in two factors so that subnormal results are right. What would
        /// be zero is not computed: results below the normal numbers cost a hundred times as much, and softmax has
        /// many arguments of minus infinity where it is masked.
        ///
        /// Relative error: at most 2e-7 in `f32`, 1e-15 in `f64`.
        #[inline(always)]
        pub fn exp(x: $t) -> $t {
            let zero = x < $exp_low;
            let x = if zero { 0.0 } else { x };
            let x = if x > $exp_high { $exp_high } else { x };
            let (n, r) = split(x);
            let half = n >> 1;
            let y = (1.0 + exp_m1_near_zero(r)) * power_of_two(half);
            let y = y * power_of_two(n.wrapping_sub(half));
            if zero { 0.0 } else { y }
        }

        /// The natural logarithm: `x = 2^e (1 + f)` with 1 + f from sqrt(1/2) to sqrt(2).
        ///
        /// Relative error: at most 3e-7 in `f32`, 1e-15 in `f64`.
        #[inline(always)]
        pub fn ln(x: $t) -> $t {
            let subnormal = x < $t::MIN_POSITIVE;
            let scaled = if subnormal { x * $tiny } else { x };
            let shift: $t = if subnormal { $tiny_shift } else { 0.0 };
            // Subtracting the bits of sqrt(1/2) first makes the mantissa wrap there instead of at 1.
            let sqrt_half = std::$t::consts::FRAC_1_SQRT_2.to_bits();
            let offset = scaled.to_bits().wrapping_sub(sqrt_half);
            let e = (offset as $int) >> $mantissa;
            let mantissa = (offset & ((1 << $mantissa) - 1)).wrapping_add(sqrt_half);
            let y = ln_1p_near_zero($t::from_bits(mantissa) - 1.0, small_int(e) + shift);
            let y = if x == $t::INFINITY { x } else { y };
            let y = if x == 0.0 { $t::NEG_INFINITY } else { y };
            let y = if x < 0.0 { $t::NAN } else { y };
            if x != x { x } else { y }
        }

        /// An exponent as a float, by the inverse of the trick in `split`: casts of 64-bit integers are
        /// not vectorised before AVX-512.
        #[inline(always)]
        fn small_int(n: $int) -> $t {
            const ROUND: $t = $round;
            $t::from_bits((ROUND.to_bits() as $int).wrapping_add(n) as $bits) - ROUND
        }

        /// The hyperbolic tangent: `m / (m + 2)` with `m = e^(2|x|) - 1`, which keeps small arguments exact.
        ///
        /// Relative error: at most 4e-7 in `f32`, 2e-15 in `f64`.
        #[inline(always)]
        pub fn tanh(x: $t) -> $t {
            let y = 2.0 * x.abs();
            let y = if y > $tanh_high { $tanh_high } else { y };
            let (n, r) = split(y);
            let power = power_of_two(n);
            let m = power * exp_m1_near_zero(r) + (power - 1.0);
            (m / (m + 2.0)).copysign(x)
        }

        /// `e^x - 1` as `2^n (e^r - 1) + (2^n - 1)`, in two halves of the power as in `exp`.
        ///
        /// Relative error: at most 4e-7 in `f32`, 2e-15 in `f64`.
        #[inline(always)]
        pub fn exp_m1(x: $t) -> $t {
            let y = if x < -$tanh_high * 2.0 { -$tanh_high * 2.0 } else { x };
            let y = if y > $exp_high { $exp_high } else { y };
            let (n, r) = split(y);
            let half = n >> 1;
            let (low, high) = (power_of_two(half), power_of_two(n.wrapping_sub(half)));
            // Below 2^60 or so the 1 matters; 2^n itself may be beyond the largest number.
            low * (high * exp_m1_near_zero(r) + (high - 1.0 / low))
        }

        /// `ln(1 + x)`: with u = 1 + x as it is rounded, the logarithm of u and the first order of what
        /// the rounding lost.
        ///
        /// Relative error: at most 5e-7 in `f32`, 2e-15 in `f64`.
        #[inline(always)]
        pub fn ln_1p(x: $t) -> $t {
            let u = 1.0 + x;
            let lost = (x - (u - 1.0)) / u;
            // At -1 and at infinity nothing is lost, and the formula is not a number.
            ln(u) + if lost.abs() < 1.0 { lost } else { 0.0 }
        }

        /// `1 / (1 + e^-x)`, with the exponential of a number that is not positive: no overflow, and
        /// small results keep their relative accuracy.
        ///
        /// Relative error: at most 3e-7 in `f32`, 2e-15 in `f64`.
        #[inline(always)]
        pub fn sigmoid(x: $t) -> $t {
            let e = exp(-x.abs());
            (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
        }

        /// `ln(1 + e^x)` as `max(x, 0) + ln(1 + e^-|x|)`. With u = e^-|x| in [0, 1] the logarithm needs no
        /// bits: 1 + u is 1 + f, or 2 (1 + f) with f = (u - 1) / 2.
        ///
        /// Relative error: at most 4e-7 in `f32`, 2e-15 in `f64`.
        #[inline(always)]
        pub fn softplus(x: $t) -> $t {
            let u = exp(-x.abs());
            let upper = u > std::$t::consts::SQRT_2 - 1.0;
            let f = if upper { (u - 1.0) * 0.5 } else { u };
            let tail = ln_1p_near_zero(f, if upper { 1.0 } else { 0.0 });
            (if x < 0.0 { 0.0 } else { x }) + tail
        }
    };
}

/// Functions of `f32`.
pub mod f32 {
    functions! {
        f32, bits u32, signed i32, mantissa 23, bias 127, round 12_582_912.0,
        ln2 0.693_359_4 -2.121_944_4e-4,
        exp from -105.0 to 89.0, tanh to 20.0, subnormal 8_388_608.0, -23.0
    }

    /// `e^r - 1` for |r| <= ln 2 / 2. Polynomial: Cephes `expf` (Moshier).
    #[inline(always)]
    fn exp_m1_near_zero(r: f32) -> f32 {
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_199_9e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.500_000_1;
        p * (r * r) + r
    }

    /// `ln(1 + f) + e ln 2` for 1 + f from sqrt(1/2) to sqrt(2). Polynomial: Cephes `logf` (Moshier).
    #[inline(always)]
    fn ln_1p_near_zero(f: f32, e: f32) -> f32 {
        let z = f * f;
        let p = 7.037_683_6e-2;
        let p = p * f - 1.151_461e-1;
        let p = p * f + 1.167_699_9e-1;
        let p = p * f - 1.242_014_1e-1;
        let p = p * f + 1.424_932_3e-1;
        let p = p * f - 1.666_805_8e-1;
        let p = p * f + 2.000_071_5e-1;
        let p = p * f - 2.499_999_4e-1;
        let p = p * f + 3.333_333e-1;
        let tail = (p * f * z - 2.121_944_4e-4 * e) - 0.5 * z;
        (f + tail) + 0.693_359_4 * e
    }

    /// The error function: an odd polynomial near 0, `1 - e^polynomial` elsewhere; the minimax
    /// coefficients are those of N. Juffa's `erff`.
    ///
    /// Relative error: at most 3e-7.
    #[inline(always)]
    pub fn erf(x: f32) -> f32 {
        let t = x.abs();
        let t = if t > 4.0 { 4.0 } else { t };
        let s = t * t;

        let p = -5.967_617e-4;
        let p = p * s + 4.991_194_2e-3;
        let p = p * s - 2.676_813_5e-2;
        let p = p * s + 1.128_199_25e-1;
        let p = p * s - 3.761_253_4e-1;
        let p = p * s + 1.283_791_7e-1;
        let near = p * t + t;

        let q = -1.728_534_7e-5 * t + 3.831_971_3e-4;
        let q = q * s + (-3.883_964_4e-3 * t + 2.425_462_2e-2);
        let q = q * t - 1.067_778_8e-1;
        let q = q * t - 6.348_467e-1;
        let q = q * t - 1.287_175_1e-1;
        let far = 1.0 - exp(q * t - t);

        (if t > 0.927_734_4 { far } else { near }).copysign(x)
    }
}

/// Functions of `f64`.
pub mod f64 {
    functions! {
        f64, bits u64, signed i64, mantissa 52, bias 1023, round 6_755_399_441_055_744.0,
        ln2 0.693_147_180_369_123_8 1.908_214_929_270_587_7e-10,
        exp from -746.0 to 710.0, tanh to 42.0, subnormal 4_503_599_627_370_496.0, -52.0
    }

    /// `e^r - 1` for |r| <= ln 2 / 2: the Taylor series up to r^13 / 13!, of which the next term is 4e-18.
    #[inline(always)]
    fn exp_m1_near_zero(r: f64) -> f64 {
        let p = 1.0 / 6_227_020_800.0;
        let p = p * r + 1.0 / 479_001_600.0;
        let p = p * r + 1.0 / 39_916_800.0;
        let p = p * r + 1.0 / 3_628_800.0;
        let p = p * r + 1.0 / 362_880.0;
        let p = p * r + 1.0 / 40_320.0;
        let p = p * r + 1.0 / 5_040.0;
        let p = p * r + 1.0 / 720.0;
        let p = p * r + 1.0 / 120.0;
        let p = p * r + 1.0 / 24.0;
        let p = p * r + 1.0 / 6.0;
        let p = p * r + 0.5;
        p * (r * r) + r
    }

    /// `ln(1 + f) + e ln 2` for 1 + f from sqrt(1/2) to sqrt(2): 2 atanh(s), s = f / (2 + f), |s| < 0.172,
    /// as its series up to s^21, of which the next term is 1e-18. Written as `f - s (f - rest)` so that
    /// the large part is exact (fdlibm's arrangement).
    #[inline(always)]
    fn ln_1p_near_zero(f: f64, e: f64) -> f64 {
        let s = f / (2.0 + f);
        let z = s * s;
        let p = 2.0 / 21.0;
        let p = p * z + 2.0 / 19.0;
        let p = p * z + 2.0 / 17.0;
        let p = p * z + 2.0 / 15.0;
        let p = p * z + 2.0 / 13.0;
        let p = p * z + 2.0 / 11.0;
        let p = p * z + 2.0 / 9.0;
        let p = p * z + 2.0 / 7.0;
        let p = p * z + 2.0 / 5.0;
        let p = p * z + 2.0 / 3.0;
        let small = 1.908_214_929_270_587_7e-10 * e;
        (f - (s * (f - p * z) - small)) + 0.693_147_180_369_123_8 * e
    }

    /// The error function: `x T(x^2) / U(x^2)` below 1, `1 - e^(-x^2) P(x) / Q(x)` above; the coefficients
    /// are those of Cephes' `ndtr` (Moshier).
    ///
    /// Relative error: at most 1e-14.
    #[inline(always)]
    pub fn erf(x: f64) -> f64 {
        let t = x.abs();
        let t = if t > 6.5 { 6.5 } else { t };
        let s = t * t;
        let is_near = t < 1.0;

        let near = 9.604_973_739_870_516;
        let near = near * s + 9.002_601_972_038_427e1;
        let near = near * s + 2.232_005_345_946_843e3;
        let near = near * s + 7.003_325_141_128_051e3;
        let near = (near * s + 5.559_230_130_103_95e4) * t;
        let near_below = s + 3.356_171_416_475_031e1;
        let near_below = near_below * s + 5.213_579_497_801_527e2;
        let near_below = near_below * s + 4.594_323_829_709_801e3;
        let near_below = near_below * s + 2.262_900_006_138_909_4e4;
        let near_below = near_below * s + 4.926_739_426_086_359e4;

        let far = 2.461_969_814_735_305e-10;
        let far = far * t + 5.641_895_648_310_689e-1;
        let far = far * t + 7.463_210_564_422_699;
        let far = far * t + 4.863_719_709_856_814e1;
        let far = far * t + 1.965_208_329_560_771e2;
        let far = far * t + 5.264_451_949_954_774e2;
        let far = far * t + 9.345_285_271_719_576e2;
        let far = far * t + 1.027_551_886_895_157e3;
        let far = (far * t + 5.575_353_353_693_994e2) * exp(-s);
        let far_below = t + 1.322_819_511_547_449_9e1;
        let far_below = far_below * t + 8.670_721_408_859_897e1;
        let far_below = far_below * t + 3.549_377_788_878_199e2;
        let far_below = far_below * t + 9.757_085_017_432_055e2;
        let far_below = far_below * t + 1.823_909_166_879_097_4e3;
        let far_below = far_below * t + 2.246_337_608_187_11e3;
        let far_below = far_below * t + 1.656_663_091_941_613_5e3;
        let far_below = far_below * t + 5.575_353_408_177_277e2;

        let above = if is_near { near } else { far };
        let ratio = above / if is_near { near_below } else { far_below };
        (if is_near { ratio } else { 1.0 - ratio }).copysign(x)
    }
}

#[cfg(test)]
mod tests;
