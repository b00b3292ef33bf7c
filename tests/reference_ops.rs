//! Functions and operators of expressions one by one against PyTorch: the output and every gradient. A case
//! is one line: the operands as parameters, and the expression.

mod common;

use common::{Reference, assert_close};
use netform::prelude::*;
use netform::pullback::Mode;

/// A module for each case, with a test in both element types: the name in the file, the shapes of the
/// operands `a`, `b` and `c`, of the indices `i`, where there are some, and of the output.
macro_rules! cases {
    ($($name:ident: ($($p:ident: $shape:tt),*) $(, $i:ident: $index:tt)? -> $out:tt { $($body:tt)* })*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: (one: [] $(, $i: u32 $index)?) -> $out {
                    $(let $p = Param($shape);)*
                    let y = ($($body)*);
                    y * one
                }
            }

            #[test]
            fn agrees() {
                check!(f32, Cpu::default(), $name, $($i)?);
                check!(f64, Cpu::default(), $name, $($i)?);
            }

            #[cfg(feature = "vulkan")]
            #[test]
            fn agrees_on_vulkan() {
                let Some(vulkan) = common::vulkan(stringify!($name)) else { return };
                check!(f32, vulkan, $name, $($i)?);
            }
        }
    )* };
}

macro_rules! check {
    ($e:ty, $device:expr, $name:ident, $($i:ident)?) => {{
        let device = $device;
        let reference = Reference::read("ops");
        let at = |what: &str| format!("{}/{what}", stringify!($name).trim_start_matches("r#"));
        let mut net = Net::<$e, _>::on(device.clone(), Seed(0)).unwrap();
        let names = common::parameter_names::<Net<$e>>();
        for (i, name) in names.iter().enumerate() {
            net.set_parameter(name, &reference.get::<$e>(&at(&format!("in{i}")))).unwrap();
        }
        let one = Tensor::<(Batch,), $e, _>::from_slice_on(device.clone(), &[1.0]).unwrap();
        $(let $i = Tensor::from_slice_on(device.clone(), &reference.labels(&at("in1"))).unwrap();)?
        let mut workspace = net.workspace(Mode::Train).unwrap();
        let pass = workspace.forward(&net, feed!(one $($i)?)).unwrap();
        assert_close(&at("out"), &pass.outputs().to_vec(), &reference.get(&at("out")));
        let cotangent = reference.get::<$e>(&at("cot"));
        let cotangent = Tensor::from_slice_on(device.clone(), &cotangent).unwrap();
        let gradients = pass.backward(&cotangent).unwrap();
        for (i, name) in names.iter().enumerate() {
            let expected = reference.get(&at(&format!("grad{i}")));
            assert_close(&at(&format!("grad{i}")), &gradients.get(name).unwrap(), &expected);
        }
    }};
}

macro_rules! feed {
    ($one:ident) => {
        &$one
    };
    ($one:ident $i:ident) => {
        (&$one, &$i)
    };
}

cases! {
    neg: (a: [4, 6]) -> [4, 6] { -a }
    exp: (a: [4, 6]) -> [4, 6] { exp(a) }
    sin: (a: [4, 6]) -> [4, 6] { sin(a) }
    cos: (a: [4, 6]) -> [4, 6] { cos(a) }
    tanh: (a: [4, 6]) -> [4, 6] { tanh(a) }
    sigmoid: (a: [4, 6]) -> [4, 6] { sigmoid(a) }
    relu: (a: [4, 6]) -> [4, 6] { relu(a) }
    silu: (a: [4, 6]) -> [4, 6] { silu(a) }
    softplus: (a: [4, 6]) -> [4, 6] { softplus(a) }
    abs: (a: [4, 6]) -> [4, 6] { abs(a) }
    square: (a: [4, 6]) -> [4, 6] { square(a) }
    erf: (a: [4, 6]) -> [4, 6] { erf(a) }
    log: (a: [4, 6]) -> [4, 6] { ln(a) }
    sqrt: (a: [4, 6]) -> [4, 6] { sqrt(a) }
    rsqrt: (a: [4, 6]) -> [4, 6] { rsqrt(a) }
    recip: (a: [4, 6]) -> [4, 6] { recip(a) }
    leaky_relu: (a: [4, 6]) -> [4, 6] { leaky_relu(a, slope = 0.1) }
    elu: (a: [4, 6]) -> [4, 6] { elu(a) }
    gelu_tanh: (a: [4, 6]) -> [4, 6] { gelu(a, approximate = tanh) }
    gelu_erf: (a: [4, 6]) -> [4, 6] { gelu(a) }
    clamp: (a: [4, 6]) -> [4, 6] { clamp(a, min = -0.5, max = 0.5) }
    powf: (a: [4, 6]) -> [4, 6] { pow(a, 2.5) }
    add: (a: [4, 6], b: [4, 6]) -> [4, 6] { a + b }
    add_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { a + b }
    add_col: (a: [4, 6], b: [4, 1]) -> [4, 6] { a + b }
    add_scalar: (a: [4, 6], b: []) -> [4, 6] { a + b }
    sub: (a: [4, 6], b: [4, 6]) -> [4, 6] { a - b }
    sub_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { a - b }
    sub_col: (a: [4, 6], b: [4, 1]) -> [4, 6] { a - b }
    sub_scalar: (a: [4, 6], b: []) -> [4, 6] { a - b }
    mul: (a: [4, 6], b: [4, 6]) -> [4, 6] { a * b }
    mul_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { a * b }
    mul_col: (a: [4, 6], b: [4, 1]) -> [4, 6] { a * b }
    mul_scalar: (a: [4, 6], b: []) -> [4, 6] { a * b }
    maximum: (a: [4, 6], b: [4, 6]) -> [4, 6] { max(a, b) }
    maximum_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { max(a, b) }
    maximum_col: (a: [4, 6], b: [4, 1]) -> [4, 6] { max(a, b) }
    maximum_scalar: (a: [4, 6], b: []) -> [4, 6] { max(a, b) }
    minimum: (a: [4, 6], b: [4, 6]) -> [4, 6] { min(a, b) }
    minimum_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { min(a, b) }
    minimum_col: (a: [4, 6], b: [4, 1]) -> [4, 6] { min(a, b) }
    minimum_scalar: (a: [4, 6], b: []) -> [4, 6] { min(a, b) }
    div: (a: [4, 6], b: [4, 6]) -> [4, 6] { a / b }
    div_row: (a: [2, 3, 3], b: [3]) -> [2, 3, 3] { a / b }
    r#where: (a: [4, 6], b: [4, 6], c: [4, 6]) -> [4, 6] { select(a > 0, b, c) }
    sum_all: (a: [2, 3, 3]) -> [] { sum(a) }
    mean_all: (a: [2, 3, 3]) -> [] { mean(a) }
    amax_all: (a: [2, 3, 3]) -> [] { max(a) }
    amin_all: (a: [2, 3, 3]) -> [] { min(a) }
    var_all: (a: [2, 3, 3]) -> [] { variance(a, unbiased = false) }
    sum_0: (a: [2, 3, 3]) -> [3, 3] { sum(a, axis = 0) }
    mean_0: (a: [2, 3, 3]) -> [3, 3] { mean(a, axis = 0) }
    amax_0: (a: [2, 3, 3]) -> [3, 3] { max(a, axis = 0) }
    amin_0: (a: [2, 3, 3]) -> [3, 3] { min(a, axis = 0) }
    logsumexp_0: (a: [2, 3, 3]) -> [3, 3] { log_sum_exp(a, axis = 0) }
    var_0: (a: [2, 3, 3]) -> [3, 3] { variance(a, axis = 0, unbiased = false) }
    sum_1: (a: [2, 3, 3]) -> [2, 3] { sum(a, axis = 1) }
    mean_1: (a: [2, 3, 3]) -> [2, 3] { mean(a, axis = 1) }
    amax_1: (a: [2, 3, 3]) -> [2, 3] { max(a, axis = 1) }
    amin_1: (a: [2, 3, 3]) -> [2, 3] { min(a, axis = 1) }
    logsumexp_1: (a: [2, 3, 3]) -> [2, 3] { log_sum_exp(a, axis = 1) }
    var_1: (a: [2, 3, 3]) -> [2, 3] { variance(a, axis = 1, unbiased = false) }
    sum_2: (a: [2, 3, 3]) -> [2, 3] { a.sum(axis = 2) }
    mean_2: (a: [2, 3, 3]) -> [2, 3] { a.mean(axis = -1) }
    amax_2: (a: [2, 3, 3]) -> [2, 3] { a.max(axis = 2) }
    amin_2: (a: [2, 3, 3]) -> [2, 3] { a.min(axis = 2) }
    logsumexp_2: (a: [2, 3, 3]) -> [2, 3] { log_sum_exp(a, axis = 2) }
    var_2: (a: [2, 3, 3]) -> [2, 3] { variance(a, axis = 2, unbiased = false) }
    prod: (a: [4, 6]) -> [4] { prod(a, axis = 1) }
    cumsum: (a: [4, 6]) -> [4, 6] { cumsum(a, axis = 1) }
    softmax: (a: [2, 3, 3]) -> [2, 3, 3] { softmax(a) }
    softmax_1: (a: [2, 3, 3]) -> [2, 3, 3] { softmax(a, axis = 1) }
    log_softmax: (a: [2, 3, 3]) -> [2, 3, 3] { log_softmax(a) }
    log_softmax_1: (a: [2, 3, 3]) -> [2, 3, 3] { log_softmax(a, axis = 1) }
    matmul: (a: [5, 3], b: [3, 3]) -> [5, 3] { a @ b }
    matvec: (a: [5, 3], b: [3]) -> [5] { a @ b }
    bmm: (a: [3, 5, 3], b: [3, 3, 3]) -> [3, 5, 3] { a @ b }
    bmm_bcast: (a: [2, 3, 5, 3], b: [3, 3]) -> [2, 3, 5, 3] { a @ b }
    dot: (a: [3], b: [3]) -> [] { dot(a, b) }
    transpose: (a: [2, 3, 3]) -> [2, 3, 3] { a.transpose() }
    permute: (a: [2, 3, 3]) -> [3, 2, 3] { a.permute([2, 0, 1]) }
    reshape: (a: [2, 3, 3]) -> [2, 9] { a.reshape([2, 9]) }
    expand: (a: [4, 6]) -> [4, 4, 6] { broadcast(a, [4, 4, 6]) }
    slice: (a: [4, 6]) -> [4, 4] { a[.., 1..5] }
    slice_step: (a: [4, 6]) -> [4, 3] { slice(a, 0, 6, axis = 1, step = 2) }
    concat: (a: [4, 3], b: [4, 6]) -> [4, 9] { concat(a, b, axis = 1) }
    stack: (a: [4, 6], b: [4, 6]) -> [4, 2, 6] { stack(a, b, axis = 1) }
    pad: (a: [4, 6]) -> [4, 9] { pad(a, before = 1, after = 2, axis = 1) }
    flip: (a: [4, 6]) -> [4, 6] { flip(a, axis = 1) }
    embedding: (a: [7, 5]), i: [3, 4] -> [3, 4, 5] { lookup(a, i) }
    gather: (a: [3, 7]), i: [3, 4] -> [3, 4] { gather(a, i) }
    attention_full: (a: [2, 2, 7, 8], b: [2, 2, 7, 8], c: [2, 2, 7, 8]) -> [2, 2, 7, 8] { attention(a, b, c) }
    attention_causal: (a: [2, 2, 7, 8], b: [2, 2, 7, 8], c: [2, 2, 7, 8]) -> [2, 2, 7, 8] { attention(a, b, c, causal = true) }
    mse: (a: [5, 5], b: [5, 5]) -> [] { mse(a, b) }
    bce_logits: (a: [5], b: [5]) -> [] { bce_with_logits(a, b) }
    cross_entropy: (a: [5, 5]), i: [5] -> [] { cross_entropy(a, i) }
    l1: (a: [5, 5], b: [5, 5]) -> [] { l1(a, b) }
    huber: (a: [5, 5], b: [5, 5]) -> [] { huber(a, b, delta = 1.0) }
    cross_entropy_smooth: (a: [5, 5]), i: [5] -> [] { cross_entropy(a, i, smoothing = 0.1) }
    bce: (a: [5], b: [5]) -> [] { bce(sigmoid(a), round(b)) }
    kl_div: (a: [5, 5], b: [5, 5]) -> [] { mean(kl_divergence(log_softmax(a), softmax(b))) }
    hinge: (a: [5], b: [5]) -> [] { hinge(a, sign(b)) }
    nll: (a: [5, 5]), i: [5] -> [] { nll(log_softmax(a), i) }
    cosine_similarity: (a: [5, 5], b: [5, 5]) -> [5] { cosine_similarity(a, b) }
    expr_hypot_mean: (a: [2, 2], b: [2, 2]) -> [] { mean(sqrt(a * a + b * b)) }
    expr_rosenbrock: (a: [2]) -> [] { square(1.0 - a[0]) + 100 * square(a[1] - square(a[0])) }
    expr_shared: (a: [3, 4], b: [4, 5]) -> [] { sum((tanh(a @ b) @ b.transpose()) * a) }
    expr_normalise: (a: [4, 6]) -> [4, 6] {
        (a - mean(a, axis = 1, keep = true)) / sqrt(variance(a, axis = 1, unbiased = false, keep = true) + 1e-5)
    }
    expr_gmm_nll: (a: [6, 2], b: [3, 2], c: [3, 2]) -> [] {
        -mean(log_sum_exp(
            -0.5 * sum(square(a.unsqueeze(1) - b) / exp(2 * c), axis = 2) - sum(c, axis = 1),
            axis = 1,
        ))
    }
}

/// Scalar ops that the file has no case of, against a formula in f64 and its central differences. A case is
/// one line: the name, and the formula.
macro_rules! formulas {
    ($($name:ident: |$x:ident| $formula:expr;)*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: (x: []) -> [] { $name(x) }
            }

            #[test]
            fn agrees() {
                let f = |$x: f64| -> f64 { $formula };
                formula!(f32, f);
                formula!(f64, f);
            }
        }
    )* };
}

macro_rules! formula {
    ($e:ty, $f:ident) => {{
        let points: Vec<f64> = (-20..=20).map(|i| f64::from(i) / 4.0).collect();
        let net = Net::<$e>::on(Cpu::default(), Seed(0)).unwrap();
        let x =
            Tensor::<(Batch,), $e>::from_vec(points.iter().map(|x| *x as $e).collect()).unwrap();
        let one = Tensor::from_vec(vec![1.0; points.len()]).unwrap();
        let values: Vec<f64> = points.iter().map(|x| $f(*x)).collect();
        assert_close("out", &net.forward(&x).unwrap().to_vec(), &values);
        let slope = |x: &f64| ($f(x + 1e-5) - $f(x - 1e-5)) / 2e-5;
        let slopes: Vec<f64> = points.iter().map(slope).collect();
        assert_close("grad0", &net.vjp(&x, &one).unwrap().inputs().unwrap().to_vec(), &slopes);
    }};
}

formulas! {
    log_sigmoid: |x| -(-x).exp().ln_1p();
}
