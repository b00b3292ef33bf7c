//! Every row of the scalar table on Vulkan against the CPU, at ordinary and at special values.

extern crate netform_core as netform;

mod common;

use common::vulkan;
use netform_core::cpu::Cpu;
use netform_core::dim::{Batch, D};
use netform_core::random::{Rng, Seed};
use netform_core::tensor::Tensor;
use netform_macros::network;

/// Random numbers of many sizes, and special ones.
fn points(stream: u64) -> Vec<f32> {
    let mut rng = Rng::new(Seed(2), stream);
    let mut all: Vec<f32> = (0..4000)
        .map(|i| {
            let limit = [0.01, 1.0, 10.0, 80.0][i % 4];
            ((rng.uniform() * 2.0 - 1.0) * limit) as f32
        })
        .collect();
    all.extend([0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 3.5, -0.5, 2.0, -2.0, 3.0, -3.0]);
    all.extend([
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1e30,
        -1e30,
        1e-30,
        -1e-30,
        200.0,
        -200.0,
    ]);
    all
}

/// Fails where a value is more than 1e-5 of itself from the CPU's; a result may be 0 where the CPU has a subnormal
/// one. Returns the largest difference.
#[track_caller]
fn check(name: &str, at: &[&[f32]], found: &[f32], expected: &[f32], zero: f32) -> f32 {
    let mut worst = 0.0_f32;
    for (i, (&x, &y)) in found.iter().zip(expected).enumerate() {
        if x == y || x.is_nan() && y.is_nan() {
            continue;
        }
        let difference = ((x - y).abs() - 1.2e-38 - zero).max(0.0) / y.abs();
        let at: Vec<f32> = at.iter().map(|a| a[i]).collect();
        assert!(difference <= 1e-5, "{name}{at:?}: {x:e} is not {y:e}");
        worst = worst.max(difference);
    }
    worst
}

macro_rules! run {
    ($net:ident, $device:expr, $inputs:expr) => {{
        let device = $device;
        let net = $net::<f32, _>::on(device.clone(), Seed(0)).unwrap();
        let tensor = |data: &[f32]| {
            Tensor::<(Batch, D<1>), f32, _>::from_slice_on(device.clone(), data).unwrap()
        };
        let [a, b, c] = $inputs;
        let y = net.forward(&tensor(a), &tensor(b), &tensor(c)).unwrap();
        let mut data = vec![0.0; a.len()];
        y.read(&mut data).unwrap();
        data
    }};
}

macro_rules! table {
    ($($name:ident: $zero:literal |$a:ident, $b:ident, $c:ident| $e:expr;)*) => {
        $(mod $name {
            use super::*;
            network! {
                /// One row of the table.
                pub Net: ($a: [1], $b: [1], $c: [1]) -> [1] { $e + 0 * select(0, $a, 0) + 0 * select(0, $b, 0) + 0 * select(0, $c, 0) }
            }
        })*

        #[test]
        fn the_scalar_table() {
            let Some(vulkan) = vulkan("the_scalar_table") else { return };
            $({
                use $name::Net;
                let a = points(1);
                // Second operands: those of the first, in another order; some the same.
                let mut b = points(2);
                b.rotate_right(7);
                for i in (0..b.len()).step_by(5) { b[i] = a[i]; }
                for i in (0..b.len()).step_by(3) { b[i] = (b[i] % 8.0).round(); }
                let c = points(3);
                let found = run!(Net, &vulkan, [&a, &b, &c]);
                let expected = run!(Net, &Cpu::default(), [&a, &b, &c]);
                let name = stringify!($name);
                println!("{name}: {:e}", check(name, &[&a, &b, &c], &found, &expected, $zero));
            })*
        }
    };
}

// Near the zeros of sine and cosine only the absolute error is small.
table! {
    neg: 0.0 |a, b, c| -a;
    add: 0.0 |a, b, c| a + b;
    sub: 0.0 |a, b, c| a - b;
    mul: 0.0 |a, b, c| a * b;
    div: 0.0 |a, b, c| a / b;
    recip: 0.0 |a, b, c| recip(a);
    square_: 0.0 |a, b, c| square(a);
    sqrt_: 0.0 |a, b, c| sqrt(a);
    exp_: 0.0 |a, b, c| exp(a);
    ln_: 0.0 |a, b, c| ln(a);
    tanh_: 0.0 |a, b, c| tanh(a);
    sigmoid_: 0.0 |a, b, c| sigmoid(a);
    softplus_: 0.0 |a, b, c| softplus(a);
    log_sigmoid_: 0.0 |a, b, c| log_sigmoid(a);
    relu_: 0.0 |a, b, c| relu(a);
    expm1_: 0.0 |a, b, c| expm1(a);
    log1p_: 0.0 |a, b, c| log1p(a);
    rsqrt_: 0.0 |a, b, c| rsqrt(a);
    erf_: 0.0 |a, b, c| erf(a);
    sin_: 1e-6 |a, b, c| sin(clamp(a, min = -200, max = 200));
    cos_: 1e-6 |a, b, c| cos(clamp(a, min = -200, max = 200));
    tan_: 1e-6 |a, b, c| tan(clamp(a, min = -1.5, max = 1.5));
    floor_: 0.0 |a, b, c| floor(a);
    ceil_: 0.0 |a, b, c| ceil(a);
    round_: 0.0 |a, b, c| round(a);
    abs_: 0.0 |a, b, c| abs(a);
    sign_: 0.0 |a, b, c| sign(a);
    pow_: 0.0 |a, b, c| pow(a, b);
    max_: 0.0 |a, b, c| max(a, b);
    min_: 0.0 |a, b, c| min(a, b);
    gt_: 0.0 |a, b, c| a > b;
    lt_: 0.0 |a, b, c| a < b;
    ge_: 0.0 |a, b, c| a >= b;
    le_: 0.0 |a, b, c| a <= b;
    ne_: 0.0 |a, b, c| a != b;
    eq_: 0.0 |a, b, c| a == b;
    select_: 0.0 |a, b, c| select(b, a, c);
}
