//! Gradients of every function, operator and layer, of inputs and of parameters, against central differences
//! in f64: with axes of size 1, broadcasting along every axis, and values with and without the batch. Functions
//! of elements share outputs: a kernel for each would take long to compile.

mod common;

use common::differences::differences;
use netform::prelude::*;

differences! {
    elements: (a: [2, 3], b: [1]) { let p = square(a) + 0.3; } => {
        smooth: [2, 3] { exp(a) * sin(a) - cos(a * b) + tanh(a) * sigmoid(-a) + softplus(a) * erf(b) + neg(b) }
        positive: [2, 3] { ln(p) + sqrt(p) * rsqrt(p + 1) + recip(p) * log1p(p) + expm1(a) + tan(a / 2) }
        powers: [2, 3] { pow(p, b) + pow(a, 3) + pow(p, -1.5) }
        kinked: [2, 3] { relu(a) + abs(a) * b + sign(a) * a + floor(a) * a + ceil(a) + round(a) * a + stop_gradient(sign(a)) * a }
        activations: [2, 3] { gelu(a) * b + gelu(a, approximate = tanh) + silu(a) + elu(a, alpha = 0.7) }
        parts: [2, 3] { leaky_relu(a, slope = 0.2) * clamp(a, min = -0.7, max = 0.9) + clip_gradient(a, max = 100) * b }
    }
    broadcasting: (a: [2, 3, 2], b: [1, 3, 2], c: [2, 1, 2], d: [2, 3, 1]) => {
        sums: [2, 3, 2] { a + b + add(c, d) - sub(c, a) - d }
        products: [2, 3, 2] { mul(b, d) * c + div(a, square(c) + 0.5) / (square(d) + 0.6) }
        extremes: [2, 3, 2] { max(c, d) + max(b, a) + min(b, d) * min(a, c) + pow(square(d) + 0.5, b) }
        chosen: [2, 3, 2] { select(gt(b, d * 1.013), c, a) + select(c <= d * 1.017, b, a) }
    }
    parameters: (a: [2, 3, 2], s: []) {
        let p = Param([3, 1]);
        let q = Param([2]);
        let r = Param([]);
        let w = Param([2, 1, 1]);
    } => {
        sums: [2, 3, 2] { p + a + q + (r + s) - (s - a - w) }
        products: [2, 3, 2] { a * p * w * r + q / (s * s + 1) / exp(a) }
        alone: [2, 3, 2] { p * q - w }
        chosen: [2, 3, 2] { select(lt(a, q), a, p) + select(a >= s, w, r) + ge(a, p) * a + le(a, q) * s + (a > w) * p + (p < q) * a }
        equal: [2, 3, 2] { eq(a, a) * p + ne(a, s) * a + select(a == s, p, q) + (a != p) * s }
    }
    reductions: (a: [2, 1, 3, 2], b: [3, 1]) => {
        sum: [2, 1, 3] { sum(a * b, axis = -1) * variance(a, axis = -1) }
        mean: [1, 2] { a.mean(axes = [0, 2]) }
        max: [2, 3, 2] { max(a, axis = 1) + log_sum_exp(a, axis = 1) }
        min: [2, 1, 1, 2] { min(a, axis = -2, keep = true) }
        several: [3] { log_sum_exp(a, axes = [0, 1, 3]) }
        prod: [1, 3, 2] { prod(a, axis = 0) }
        all: [] { sum(a) * mean(b) + max(a) - min(b) + variance(a, unbiased = false) }
    }
    along: (a: [2, 1, 3], b: [3, 3]) => {
        softmax: [2, 1, 3] { softmax(a) + softmax(a, axis = 0) * softmax(a, axis = -2) }
        log_softmax: [3, 3] { log_softmax(b, axis = 0) * softmax(causal(b)) }
        cumsum: [2, 1, 3] { cumsum(a) * cumsum(a, axis = -3) + cumsum(a, axis = 1) }
        argmax: [3] { float(argmax(b, axis = 1)) * sum(b, axis = 0) }
        standardised: [3, 3] { (b - mean(b, axis = 1, keep = true)) / sqrt(variance(b, axis = 1, keep = true) + 0.1) }
    }
    products: (a: [2, 3], b: [3, 1], v: [3]) { let w = Param([3, 2]); } => {
        samples: [2, 1] { matmul(a, b) }
        shared: [2, 2] { a @ w }
        left: [3, 3] { w @ a + b @ b.transpose() }
        vectors: [2] { a @ v + v @ w }
        numbers: [] { dot(v, v) + dot(v, b.squeeze(1)) }
    }
    batches_of_products: (a: [2, 1, 2, 3], b: [3, 3, 1], c: [2, 2]) { let w = Param([2, 3, 3, 2]); } => {
        both: [2, 3, 2, 1] { a @ b }
        one_for_all: [2, 1, 2, 3] { c @ a }
        weights: [2, 3, 2, 2] { a @ w }
        attention: [2, 1, 2, 3] { attention(a, a * 0.5, a, causal = true) }
    }
    shapes: (a: [2, 1, 6], b: [2, 3]) { let w = Param([2, 1]); } => {
        reshape: [3, 4] { reshape(a, [3, 4]) }
        flatten: [12] { flatten(a * b.reshape([2, 3, 1]).broadcast([2, 3, 2]).reshape([2, 1, 6])) }
        squeeze: [2, 6, 1] { unsqueeze(squeeze(a, axis = 1) * w, axis = -1) }
        permute: [6, 1, 2] { transpose(a, axes = (0, -1)) * permute(a, [2, 1, 0]) }
        broadcast: [4, 2, 3] { broadcast(b, [4, 2, 3]) + broadcast(w, [2, 3]) }
    }
    parts: (a: [2, 6], b: [2, 1]) {
        let [first, second] = a.unstack(0);
        let [x, y, z] = a.split(3);
    } => {
        unstack: [6] { first * second }
        split: [2, 2] { x * z - y + slice(a, 1, 5, axis = 1, step = 3) }
        concat: [2, 8] { concat(b, a, b, axis = 1) }
        stack: [2, 2, 6] { stack(a, a * b, axis = 1) }
        pad: [2, 9] { pad(a, before = 1, after = 2) }
        flip: [2, 6] { flip(a) + flip(a, axis = -1) }
        index: [3] { a[1, 2..5] * a[-1, ..-3] + a[0, 5] }
    }
    indices: (a: [3, 4], b: [4]; i: u32[3] below 4, j: u32[3, 2] below 4, k: u32[2, 1] below 5) {
        let table = Param([5, 2]);
    } => {
        one_a_row: [3] { gather(a, i) }
        several: [3, 2] { gather(a * b, j) }
        lookup: [2, 1, 2] { lookup(table, k) }
        floats: [3, 4] { one_hot(i, 4) * a + float(i).unsqueeze(1) * b }
        losses: [] { cross_entropy(a, i) + cross_entropy(a * b, i, smoothing = 0.2) + nll(log_softmax(a), i) }
    }
    parts_of_indices: (a: [2, 4], b: [4]; i: u32[3] below 4, j: u32[3, 2] below 4) {
        let table = Param([4, 2]);
        let end = i[1..3];
        let turned = j.transpose();
    } => {
        slice: [2] { gather(a, end) * gather(a * b, i[..2]) + gather(a, j[1]) }
        column: [3, 2] { lookup(table, j[.., 1]) }
        rows: [2, 2] { gather(a, j[1..3]) }
        regrouped: [2, 3, 2] { lookup(table, j.reshape([2, 3])) * lookup(table, turned) }
        permuted: [2, 3] { gather(a, turned) + float(turned) * sum(a) + one_hot(end, 4).sum() }
    }
    losses: (a: [3, 4], b: [3, 4]) {
        let p = softmax(a);
        let q = softmax(b);
    } => {
        elements: [] { mse(a, b) + l1(a, b) + huber(a, b, delta = 0.8) + hinge(a, b) }
        probabilities: [] { bce(p, q) + bce_with_logits(a, q) }
        rows: [3] { kl_divergence(log_softmax(a), q) * cosine_similarity(a, b) }
    }
    drawn: (a: [2, 3], b: [3]) => {
        normal: [2, 3] { a * normal([2, 3]) + normal([3]) * b }
        uniform: [2, 3] { uniform([2, 1]) * a + dropout(a * b, 0.4) }
        constants: [2, 3] { a * arange(3) + square(b) * arange(2).unsqueeze(1) + a * full([2, 3], 0.5) + b * ones([2, 1]) + zeros([3]) }
    }
    control: (a: [4, 2], b: [2]) {
        let cell = Linear(2);
        let (states, last) = scan(a, b, |h, x| { let next = tanh(cell(h) * x + b); (next, next * x) });
        let x = b;
        for i in 0..3 { x = tanh(cell(x)) * b + i }
    } => {
        states: [4, 2] { states }
        last: [2] { last * x }
    }
    gradients: (a: [2, 3], b: [3]) { let w = Param([3, 2]); } => {
        of_a_chain: [2, 3] { grad(sum(tanh(a) * exp(b)), a) * grad(sum(pow(square(a) + 0.5, b)), a) }
        of_a_product: [3, 2] { grad(sum(square(a @ w)), w) }
        of_a_softmax: [3] { grad(sum(softmax(a * b) * a), b) }
        twice: [3] { grad(sum(grad(sum(square(a) * exp(b)), a) * sin(a)), b) }
    }
    dense: (x: [2, 3], y: [1, 1]; i: u32[2] below 4) {
        let linear = Linear(4);
        let narrow = Linear(1);
        let wide = Linear(3, bias = false);
        let rows = Embedding(4, features = 3);
        let norm = LayerNorm;
        let over = LayerNorm(axes = 2);
        let rms = RmsNorm;
    } => {
        narrow: [2, 3] { narrow(x) + y + rows(i) }
        linear: [2, 4] { linear(x) + x @ rows.weight.transpose() }
        wide: [2, 3] { wide(x * y) + over(x) }
        norms: [2, 3] { norm(x) * rms(x) }
    }
    convolutions: (x: [2, 5, 4], y: [2, 3, 2], z: [1, 1, 1]) {
        let strided = Conv2d(2, kernel = (3, 2), stride = (2, 1), padding = (1, 0));
        let dilated = Conv2d(2, kernel = 2, dilation = 2, bias = false);
        let grouped = Conv2d(4, kernel = 3, padding = 1, groups = 2);
        let one = Conv2d(2, kernel = 1);
        let transposed = ConvTranspose2d(2, kernel = 3, stride = 2, padding = 1);
        let line = Conv1d(3, kernel = 2, padding = 1, stride = 2);
    } => {
        strided: [2, 3, 3] { strided(x) }
        dilated: [2, 3, 2] { dilated(x) * y }
        grouped: [4, 3, 2] { grouped(y) }
        one: [2, 1, 1] { one(z) }
        transposed: [2, 5, 3] { transposed(y) }
        line: [3, 3] { line(x.reshape([10, 4]).slice(0, 2)) }
        second: [2, 5, 4] { grad(sum(square(strided(x))), x) }
    }
    pools: (x: [2, 4, 6], y: [1, 1, 2]) {
        let max = MaxPool2d(2);
        let overlapping = MaxPool2d(3, stride = 1, padding = 1);
        let mean = AvgPool2d((2, 3), stride = (1, 2), padding = (1, 0));
        let all = AdaptiveAvgPool2d(1);
        let some = AdaptiveAvgPool2d((2, 3));
        let up = Upsample((2, 1));
    } => {
        max: [2, 2, 3] { max(x) + some(x) }
        overlapping: [2, 4, 6] { overlapping(relu(x)) }
        mean: [2, 5, 2] { mean(x) }
        all: [2, 2, 2] { all(x) * up(y) }
        second: [2, 4, 6] { grad(sum(square(max(x))) + sum(square(mean(x))), x) }
    }
    norms: (x: [4, 2, 3], y: [4, 3]) {
        let images = BatchNorm2d;
        let points = BatchNorm1d;
        let groups = GroupNorm(2);
    } => {
        images: [4, 2, 3] { images(x) }
        points: [4, 3] { points(y) }
        groups: [4, 2, 3] { groups(x) }
    }
    sequences: (x: [3, 4], y: [2, 4]) {
        let heads = MultiHeadAttention(2);
        let causal = MultiHeadAttention(1, causal = true, bias = false);
        let places = PositionalEmbedding;
        let waves = PositionalEncoding;
    } => {
        causal: [3, 4] { causal(places(x) * waves(x)) }
        context: [2, 4] { heads(y, x) }
    }
    recurrences: (x: [3, 2], y: [1, 2]) {
        let plain = Rnn(2);
        let gated = Gru(3);
        let long = Lstm(2);
        let end = Lstm(1, last = true);
        let (a, ah) = plain(x);
        let (b, bh) = gated(x);
        let (c, ch, cc) = long(x);
    } => {
        rnn: [3, 2] { a + ah * end(y) }
        gru: [3] { b[1] * bh }
        lstm: [3, 2] { c * ch - cc }
    }
}

network! {
    /// Functions at points at which they have no derivative, or several.
    pub Kinks: (x: [23]) -> [] {
        let pool = MaxPool2d(2);
        let signs = relu(x[0]) + abs(x[1]) + sign(x[2]) + floor(x[3]) + l1(x[4], 0) + hinge(x[5] + 1, 1);
        let slopes = leaky_relu(x[6], slope = 0.1) + elu(x[7], alpha = 1.5) + huber(x[8] + 1, 0);
        let bounds = clamp(x[9], min = 0, max = 1) + clamp(x[10], min = -1, max = 0);
        let ties = max(x[11], x[12]) + min(x[13], x[14]) + max(x[15..18]) + sum(pool(x[18..22].reshape([1, 2, 2])));
        signs + slopes + bounds + ties + sqrt(x[22])
    }
}

/// What is taken there is what PyTorch takes: a subgradient of least norm where the function is convex, equal
/// shares of a maximum (`torch.amax`, `torch.maximum`), the first point of a window, infinity for a root of zero.
/// <https://docs.pytorch.org/docs/stable/notes/autograd.html#gradients-for-non-differentiable-functions>
#[test]
fn where_there_is_no_derivative_it_is_pytorchs() {
    let net = Kinks::<f64>::on(Cpu::default(), Seed(0)).unwrap();
    let x = Tensor::<(Batch, D<23>), f64>::from_vec(vec![0.0; 23]).unwrap();
    let one = Tensor::<(Batch,), f64>::from_vec(vec![1.0]).unwrap();
    let found = net.vjp(&x, &one).unwrap().inputs().unwrap().to_vec();
    let (signs, slopes, bounds) = ([0.0; 6], [0.1, 1.5, 1.0], [1.0, 1.0]);
    let (pair, three, window) = ([0.5; 4], [1.0 / 3.0; 3], [1.0, 0.0, 0.0, 0.0]);
    let expected: Vec<f64> =
        [&signs[..], &slopes, &bounds, &pair, &three, &window, &[f64::INFINITY]].concat();
    assert_eq!(found, expected);
}
