//! The stated errors, where functions bend and over the whole range of floats.

use super::{f32 as single, f64 as double};

/// The error function by its series with positive terms, e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!.
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..400 {
        term *= 2.0 * x * x / (2 * n + 1) as f64;
        if sum + term == sum {
            break;
        }
        sum += term;
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Points from -limit to limit, dense near 0.
fn points(limit: f64) -> impl Iterator<Item = f64> {
    (-200_000..=200_000).map(move |i| {
        let u = f64::from(i) / 200_000.0;
        limit * u * u * u
    })
}

fn worst(limit: f64, ours: impl Fn(f64) -> f64, exact: impl Fn(f64) -> f64) -> (f64, f64) {
    points(limit)
        .map(|x| {
            let (y, e) = (ours(x), exact(x));
            (if y == e { 0.0 } else { ((y - e) / e).abs() }, x)
        })
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
}

/// Compares with the exact function at the point as f32 holds it.
fn check_f32(
    name: &str,
    limit: f64,
    bound: f64,
    ours: impl Fn(f32) -> f32,
    exact: impl Fn(f64) -> f64,
) {
    let (error, x) = worst(limit, |x| f64::from(ours(x as f32)), |x| exact(f64::from(x as f32)));
    assert!(error <= bound, "{name}: relative error {error:e} at {x:e}");
}

fn check_f64(
    name: &str,
    limit: f64,
    bound: f64,
    ours: impl Fn(f64) -> f64,
    exact: impl Fn(f64) -> f64,
) {
    let (error, x) = worst(limit, ours, exact);
    assert!(error <= bound, "{name}: relative error {error:e} at {x:e}");
}

#[test]
fn f32_is_accurate() {
    check_f32("exp", 87.0, 2e-7, single::exp, f64::exp);
    check_f32("ln", 1e30, 2e-7, |x| single::ln(x.abs()), |x| x.abs().ln());
    check_f32("ln near 1", 0.5, 3e-7, |x| single::ln(1.0 + x), |x| f64::from(1.0 + x as f32).ln());
    check_f32("exp_m1", 87.0, 4e-7, single::exp_m1, f64::exp_m1);
    check_f32("ln_1p", 1e30, 3e-7, |x| single::ln_1p(x.abs()), |x| x.abs().ln_1p());
    check_f32("ln_1p near 0", 0.9, 5e-7, single::ln_1p, f64::ln_1p);
    check_f32("tanh", 30.0, 4e-7, single::tanh, f64::tanh);
    check_f32("sigmoid", 87.0, 3e-7, single::sigmoid, sigmoid);
    check_f32("softplus", 80.0, 4e-7, single::softplus, softplus);
    check_f32("erf", 5.0, 3e-7, single::erf, erf_series);
}

#[test]
fn f64_is_accurate() {
    check_f64("exp", 700.0, 1e-15, double::exp, f64::exp);
    check_f64("ln", 1e300, 1e-15, |x| double::ln(x.abs()), |x| x.abs().ln());
    check_f64("ln near 1", 0.5, 1e-15, |x| double::ln(1.0 + x), |x| (1.0 + x).ln());
    check_f64("exp_m1", 700.0, 2e-15, double::exp_m1, f64::exp_m1);
    check_f64("ln_1p", 1e300, 1e-15, |x| double::ln_1p(x.abs()), |x| x.abs().ln_1p());
    check_f64("ln_1p near 0", 0.9, 2e-15, double::ln_1p, f64::ln_1p);
    check_f64("tanh", 30.0, 2e-15, double::tanh, f64::tanh);
    check_f64("sigmoid", 700.0, 2e-15, double::sigmoid, sigmoid);
    check_f64("softplus", 700.0, 2e-15, double::softplus, softplus);
    check_f64("erf", 6.0, 1e-14, double::erf, erf_series);
}

macro_rules! special_values {
    ($name:ident, $t:ident, $m:ident, $tiny:expr) => {
        #[test]
        #[allow(clippy::float_cmp)]
        fn $name() {
            const INF: $t = $t::INFINITY;
            assert_eq!([$m::exp(0.0), $m::exp(-INF), $m::exp(INF)], [1.0, 0.0, INF]);
            assert_eq!([$m::exp(-1000.0), $m::exp(1000.0)], [0.0, INF]);
            assert_eq!([$m::ln(1.0), $m::ln(0.0), $m::ln(INF)], [0.0, -INF, INF]);
            assert!($m::ln(-1.0).is_nan());
            assert!(($m::ln($tiny) - $tiny.ln()).abs() < 1e-4);
            assert_eq!([$m::tanh(0.0), $m::tanh(INF), $m::tanh(-INF)], [0.0, 1.0, -1.0]);
            assert_eq!([$m::tanh($tiny), $m::tanh(100.0)], [$tiny, 1.0]);
            assert_eq!([$m::sigmoid(0.0), $m::sigmoid(INF), $m::sigmoid(-INF)], [0.5, 1.0, 0.0]);
            assert_eq!([$m::softplus(1000.0), $m::softplus(-1000.0)], [1000.0, 0.0]);
            assert_eq!([$m::softplus(INF), $m::softplus(-INF)], [INF, 0.0]);
            assert_eq!([$m::erf(0.0), $m::erf(INF), $m::erf(-INF)], [0.0, 1.0, -1.0]);
            assert_eq!([$m::exp_m1(0.0), $m::exp_m1(-INF), $m::exp_m1(INF)], [0.0, -1.0, INF]);
            assert_eq!([$m::exp_m1($tiny), $m::exp_m1(1000.0)], [$tiny, INF]);
            assert_eq!([$m::ln_1p(0.0), $m::ln_1p(-1.0), $m::ln_1p(INF)], [0.0, -INF, INF]);
            assert!($m::ln_1p(-2.0).is_nan());
            assert_eq!($m::ln_1p($tiny), $tiny);
            let all = [
                $m::exp_m1,
                $m::ln_1p,
                $m::exp,
                $m::ln,
                $m::tanh,
                $m::sigmoid,
                $m::softplus,
                $m::erf,
            ];
            for f in all {
                assert!(f($t::NAN).is_nan());
            }
        }
    };
}
special_values!(f32_special_values, f32, single, 1e-40_f32);
special_values!(f64_special_values, f64, double, 1e-310_f64);

#[test]
fn results_may_be_subnormal() {
    assert!((single::exp(-100.0) / (-100.0_f32).exp() - 1.0).abs() < 0.05);
    assert!((double::exp(-740.0) / (-740.0_f64).exp() - 1.0).abs() < 0.05);
    assert_eq!(single::exp(-200.0), 0.0);
}

/// The error function at any number.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.5 { 1.0_f64.copysign(x) } else { erf_series(x) }
}

/// A function, the exact one in f64, and the largest relative error.
type Claim<T> = (&'static str, fn(T) -> T, fn(f64) -> f64, f64);

/// Compares at floats of every exponent and sign, at subnormal ones, at infinities and at what is no number. A
/// subnormal result may be one off in its last place.
macro_rules! whole_range {
    ($name:ident, $t:ident, $bits:ident, step $step:literal, [$($claim:expr),* $(,)?]) => {
        #[test]
        fn $name() {
            let claims: &[Claim<$t>] = &[$($claim),*];
            let ends = [0.0, $t::from_bits(1), $t::MIN_POSITIVE, 1.0, $t::MAX, $t::INFINITY, $t::NAN];
            let near = |x: $t| [-1, 0, 1].map(|d| $t::from_bits(x.to_bits().wrapping_add_signed(d)));
            let ends = ends.into_iter().flat_map(near).flat_map(|x| [x, -x]);
            let all = (0..=$bits::MAX).step_by($step).map($t::from_bits);
            for x in all.chain(ends) {
                for (name, ours, exact, bound) in claims {
                    let (y, e) = (f64::from(ours(x)), exact(f64::from(x)));
                    let right = y == e
                        || y.is_nan() && e.is_nan()
                        || (y - e).abs() <= bound * e.abs() + f64::from($t::from_bits(1))
                        || y.is_infinite() && e.abs() >= f64::from($t::MAX) * (1.0 - bound) && y * e > 0.0;
                    assert!(right, "{name}({x:e}) is {y:e}, not {e:e}: relative error over {bound:e}");
                }
            }
        }
    };
}

whole_range!(f32_over_the_whole_range, f32, u32, step 4099, [
    ("exp", single::exp, f64::exp, 2e-7),
    ("ln", single::ln, f64::ln, 3e-7),
    ("tanh", single::tanh, f64::tanh, 4e-7),
    ("exp_m1", single::exp_m1, f64::exp_m1, 4e-7),
    ("ln_1p", single::ln_1p, f64::ln_1p, 5e-7),
    ("sigmoid", single::sigmoid, sigmoid, 3e-7),
    ("softplus", single::softplus, softplus, 4e-7),
    ("erf", single::erf, erf, 3e-7),
]);
whole_range!(f64_over_the_whole_range, f64, u64, step 35_184_372_088_891, [
    ("exp", double::exp, f64::exp, 1e-15),
    ("ln", double::ln, f64::ln, 1e-15),
    ("tanh", double::tanh, f64::tanh, 2e-15),
    ("exp_m1", double::exp_m1, f64::exp_m1, 2e-15),
    ("ln_1p", double::ln_1p, f64::ln_1p, 2e-15),
    ("sigmoid", double::sigmoid, sigmoid, 2e-15),
    ("softplus", double::softplus, softplus, 2e-15),
    ("erf", double::erf, erf, 1e-14),
]);
