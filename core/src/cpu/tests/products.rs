//! Products and convolutions against their twins.

use super::{close, cpus, input, numbers, out, run, run_into, view};
use crate::cpu::Cpu;
use crate::cpu::naive::{self, dense};
use crate::device::{Conv2dDims, Kernels, MatmulDims, Slot, Span};
use crate::element::Float;

/// One, two and three outputs, with sums in the first, in the one between, and apart from them.
macro_rules! by_outputs {
    ($check:ident, $($arg:expr),*) => {
        $check::<f64, 1>($($arg),*, InPlace::None);
        $check::<f32, 1>($($arg),*, InPlace::Last);
        $check::<f32, 2>($($arg),*, InPlace::Last);
        $check::<f32, 2>($($arg),*, InPlace::FirstAndLast);
        $check::<f64, 2>($($arg),*, InPlace::FirstAndLast);
        $check::<f32, 3>($($arg),*, InPlace::FirstAndLast);
    };
}

/// Which inputs of an epilogue are outputs of it.
#[derive(Clone, Copy, Debug)]
enum InPlace {
    None,
    Last,
    FirstAndLast,
}

impl InPlace {
    /// The second and third input of an epilogue with `M` outputs of `len` elements each: where they are to be
    /// found apart, and which output they may be instead.
    fn spans<const M: usize>(self, apart: [Span; 2]) -> [Span; 2] {
        let outs = outs::<M>(apart[0].len);
        match self {
            InPlace::None => apart,
            InPlace::Last => [outs[M - 1], apart[1]],
            InPlace::FirstAndLast => [outs[0], outs[M - 1]],
        }
    }
}

/// Outputs one after another in the workspace.
fn outs<const M: usize>(len: usize) -> [Span; M] {
    std::array::from_fn(|j| Span::new(Slot::Workspace, j * len, len))
}

/// An epilogue with up to three outputs.
fn fused<E: Float, const M: usize>(sum: E, [x, y, z]: [E; 3], [two]: [E; 1]) -> [E; M] {
    let all = [sum * two + x + y, z - sum, y * z + x];
    std::array::from_fn(|j| all[j])
}

/// The outputs of [`fused`], one after another.
fn expected<const M: usize>(sums: &[f64], x: impl Fn(usize) -> f64, yz: [&[f64]; 2]) -> Vec<f64> {
    let all = |i: usize| fused::<f64, M>(sums[i], [x(i), yz[0][i], yz[1][i]], [2.0]);
    (0..M).flat_map(|j| (0..sums.len()).map(move |i| all(i)[j])).collect()
}

/// The matrices of a product.
fn matrices(d: &MatmulDims) -> [Vec<f64>; 2] {
    let last = d.batch.max(1) - 1;
    [numbers(last * d.stride_a + d.m * d.k, 1), numbers(last * d.stride_b + d.n * d.k, 2)]
}

fn check_matmul<E: Float, const M: usize>(
    cpus: &[Cpu],
    dims: MatmulDims,
    sums: &[f64],
    in_place: InPlace,
) {
    let MatmulDims { batch, m, n, k, .. } = dims;
    let (len, what) = (batch * m * n, format!("{M} outputs, {in_place:?}: {dims:?}"));
    let [a, b] = matrices(&dims);
    let (bias, old) = (numbers(n, 3), numbers(3 * len, 4));
    let part = |i: usize| Span::new(Slot::Input(3), i * len, len);
    let spans = in_place.spans::<M>([part(1), part(2)]);
    let [y, z] = spans.map(|span| &old[span.offset..][..len]);
    let dense = |span| view(span, dense([1, batch, m, n]));
    let args = [view(input(2, n), [0, 0, 0, 1]), dense(spans[0]), dense(spans[1])];
    let found = run_into::<E>(cpus, &old[..M * len], &[&a, &b, &bias, &old], &[], |run| {
        let (a, b, two) = (input(0, a.len()), input(1, b.len()), [E::from_f64(2.0)]);
        run.matmul(outs::<M>(len), a, b, dims, args, two, fused::<E, M>, &["fused"]);
    });
    let expected = expected::<M>(sums, |i| bias[i % n], [y, z]);
    close::<E>(&found, &expected, (k as f64).sqrt() + 1.0, &what);
}

/// The operands of a convolution and of its gradients, x, w and dy, and what the twins make of them: y, dx and dw.
struct Convolution {
    d: Conv2dDims,
    operands: [Vec<f64>; 3],
    results: [Vec<f64>; 3],
}

impl Convolution {
    fn new(d: Conv2dDims) -> Self {
        let (channels, [oh, ow]) = (d.in_channels / d.groups, d.out_size());
        let x = numbers(d.batch * d.in_channels * d.height * d.width, 1);
        let w = numbers(d.out_channels * channels * d.kernel[0] * d.kernel[1], 2);
        let dy = numbers(d.batch * d.out_channels * oh * ow, 4);
        let [mut y, mut dx, mut dw] = [dy.len(), x.len(), w.len()].map(|len| vec![0.0; len]);
        naive::for_each_product(&d, |i, j, o| {
            y[o] += x[i] * w[j];
            dx[i] += dy[o] * w[j];
            dw[j] += dy[o] * x[i];
        });
        Convolution { d, operands: [x, w, dy], results: [y, dx, dw] }
    }
}

fn check_conv<E: Float, const M: usize>(cpus: &[Cpu], c: &Convolution, in_place: InPlace) {
    let (d, [x, w, _], [sums, ..]) = (c.d, &c.operands, &c.results);
    let (len, [oh, ow]) = (sums.len(), d.out_size());
    let what = format!("{M} outputs, {in_place:?}: {d:?}");
    let (bias, old) = (numbers(d.out_channels, 3), numbers(3 * len, 4));
    let part = |i: usize| Span::new(Slot::Input(3), i * len, len);
    let spans = in_place.spans::<M>([part(1), part(2)]);
    let [y, z] = spans.map(|span| &old[span.offset..][..len]);
    let dense = |span| view(span, dense([d.batch, d.out_channels, oh, ow]));
    let args = [view(input(2, bias.len()), [0, 1, 0, 0]), dense(spans[0]), dense(spans[1])];
    let found = run_into::<E>(cpus, &old[..M * len], &[x, w, &bias, &old], &[], |run| {
        let (x, w, two) = (input(0, x.len()), input(1, w.len()), [E::from_f64(2.0)]);
        run.conv2d(outs::<M>(len), x, w, d, args, two, fused::<E, M>, &["fused"]);
    });
    let expected = expected::<M>(sums, |i| bias[i / (oh * ow) % d.out_channels], [y, z]);
    close::<E>(&found, &expected, (w.len() as f64).sqrt() + 1.0, &what);
}

fn check_conv_gradients<E: Float>(cpus: &[Cpu], c: &Convolution) {
    let (d, [x, w, dy], [_, dx, dw]) = (c.d, &c.operands, &c.results);
    let scale = |terms: usize| (terms as f64).sqrt() + 1.0;
    let (x_span, w_span, dy_span) = (input(0, x.len()), input(1, w.len()), input(2, dy.len()));
    let inputs: [&[f64]; 3] = [x, w, dy];
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.conv2d_input(out(x.len()), dy_span, w_span, d);
    });
    close::<E>(&found, dx, scale(w.len()), &format!("dx: {d:?}"));
    let found = run::<E>(cpus, w.len(), &inputs, |run| {
        run.conv2d_weight(out(w.len()), x_span, dy_span, d);
    });
    close::<E>(&found, dw, scale(dy.len()), &format!("dw: {d:?}"));
}

fn convolution(cpus: &[Cpu], d: Conv2dDims) {
    let convolution = Convolution::new(d);
    both!(check_conv_gradients, cpus, &convolution);
    by_outputs!(check_conv, cpus, &convolution);
}

/// One weight, one point.
const POINT: Conv2dDims = Conv2dDims {
    batch: 1,
    in_channels: 1,
    height: 1,
    width: 1,
    out_channels: 1,
    kernel: [1, 1],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
};

#[test]
fn matmul_of_many_sizes() {
    let cpus = cpus();
    let sizes = [
        [1, 1, 1, 1],
        [1, 16, 16, 4],
        [1, 7, 13, 31],
        [1, 65, 31, 13],
        [1, 1, 65, 31],
        [1, 33, 1, 65],
        [1, 3, 5, 0],
        [1, 64, 10, 128],
        [1, 5, 3, 1100],
        [1, 130, 65, 64],
        [1, 31, 200, 257],
        [3, 7, 13, 31],
        [0, 2, 3, 4],
        [65, 13, 31, 65],
        [1, 250, 131, 150],
        [1, 67, 513, 150],
    ];
    for [batch, m, n, k] in sizes {
        for bits in 0..8 {
            let flag = |i: i32| bits >> i & 1 == 1;
            let dims = MatmulDims {
                batch,
                m,
                n,
                k,
                transpose_a: flag(0),
                transpose_b: flag(1),
                stride_a: if flag(2) { 0 } else { m * k },
                stride_b: n * k,
            };
            let [a, b] = matrices(&dims);
            by_outputs!(check_matmul, &cpus, dims, &naive::matmul(&a, &b, &dims));
        }
    }
}

#[test]
fn convolutions_of_many_sizes() {
    let cpus = cpus();
    for (batch, in_channels, out_channels, groups) in
        [(1, 1, 6, 1), (0, 2, 3, 1), (3, 3, 10, 1), (1, 4, 6, 2), (2, 5, 5, 5), (19, 2, 17, 1)]
    {
        for (height, width) in [(7, 7), (1, 13), (9, 6)] {
            for kernel in [[1, 1], [3, 3], [2, 5], [5, 1]] {
                for (stride, padding, dilation) in [
                    ([1, 1], [0, 0], [1, 1]),
                    ([1, 1], [2, 1], [1, 1]),
                    ([2, 1], [1, 2], [1, 2]),
                    ([2, 3], [0, 4], [2, 1]),
                    ([1, 1], [6, 6], [1, 1]),
                ] {
                    let dims = Conv2dDims {
                        batch,
                        in_channels,
                        out_channels,
                        groups,
                        height,
                        width,
                        kernel,
                        stride,
                        padding,
                        dilation,
                    };
                    convolution(&cpus, dims);
                }
            }
        }
    }
    let large = Conv2dDims { height: 30, width: 31, kernel: [3, 3], ..POINT };
    convolution(&cpus, Conv2dDims { batch: 65, in_channels: 3, out_channels: 7, ..large });
    convolution(&cpus, Conv2dDims { batch: 1, in_channels: 13, out_channels: 65, ..large });
}

#[test]
fn convolutions_at_the_ends_of_sizes() {
    let cpus = cpus();
    let wide = Conv2dDims { height: 1, width: 65, ..POINT };
    let tall = Conv2dDims { height: 65, width: 1, ..POINT };
    let many = Conv2dDims { height: 7, width: 13, in_channels: 31, out_channels: 33, ..POINT };
    for d in [
        POINT,
        // Only padding is met, and in part.
        Conv2dDims { padding: [3, 3], kernel: [3, 3], ..POINT },
        Conv2dDims { padding: [7, 7], stride: [5, 5], kernel: [2, 2], ..POINT },
        // No window fits.
        Conv2dDims { kernel: [2, 2], ..POINT },
        Conv2dDims { kernel: [3, 1], dilation: [4, 1], ..wide },
        // Nothing to sum over, nothing to make, and both.
        Conv2dDims { in_channels: 0, out_channels: 3, ..wide },
        Conv2dDims { in_channels: 3, out_channels: 0, ..wide },
        Conv2dDims { in_channels: 0, out_channels: 0, batch: 2, ..wide },
        Conv2dDims { height: 0, padding: [1, 1], kernel: [3, 3], ..wide },
        Conv2dDims { height: 0, ..wide },
        Conv2dDims { kernel: [1, 31], dilation: [1, 2], ..wide },
        Conv2dDims { kernel: [1, 65], padding: [0, 13], ..wide },
        Conv2dDims { kernel: [31, 1], stride: [7, 1], ..tall },
        Conv2dDims { kernel: [65, 1], padding: [64, 0], batch: 13, ..tall },
        Conv2dDims { kernel: [3, 3], padding: [1, 1], ..many },
        Conv2dDims { kernel: [7, 13], batch: 3, ..many },
        Conv2dDims { kernel: [2, 2], stride: [3, 3], batch: 7, ..many },
        Conv2dDims { in_channels: 65, out_channels: 65, groups: 13, kernel: [3, 3], ..many },
        Conv2dDims { in_channels: 31, out_channels: 31, groups: 31, kernel: [2, 3], ..many },
        // Several panels of weights for each of several groups, in several tasks.
        Conv2dDims {
            in_channels: 64,
            out_channels: 160,
            groups: 2,
            height: 14,
            width: 14,
            kernel: [3, 3],
            padding: [1, 1],
            ..POINT
        },
        Conv2dDims {
            in_channels: 64,
            out_channels: 96,
            groups: 2,
            batch: 9,
            kernel: [3, 3],
            ..many
        },
    ] {
        convolution(&cpus, d);
    }
}

/// A product of two matrices as they are, by each level.
fn product(cpus: &[Cpu], [m, n, k]: [usize; 3], [a, b]: [&[f64]; 2]) -> super::Made {
    let dims = MatmulDims {
        batch: 1,
        m,
        n,
        k,
        transpose_a: false,
        transpose_b: true,
        stride_a: 0,
        stride_b: 0,
    };
    run::<f32>(cpus, m * n, &[a, b], |run| {
        let (a, b) = (input(0, m * k), input(1, n * k));
        run.matmul([out(m * n)], a, b, dims, [], [], |x, [], []| [x], &["x"]);
    })
}

/// Numbers that have all the digits of `f32`.
fn full(len: usize, seed: u64) -> Vec<f64> {
    let mut rng = crate::random::Rng::new(crate::random::Seed(seed), 0);
    (0..len).map(|_| f64::from(rng.normal() as f32)).collect()
}

#[test]
fn no_level_is_less_accurate() {
    let cpus = cpus();
    let [m, n, k] = [96, 129, 700];
    let (a, b) = (full(m * k, 1), full(n * k, 2));
    let mean = |found: &[f64]| {
        let relative = found.iter().enumerate().map(|(i, x)| {
            let (a, b) = (&a[i / n * k..][..k], &b[i % n * k..][..k]);
            let exact: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let terms: f64 = a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum();
            (x - exact).abs() / terms
        });
        relative.sum::<f64>() / found.len() as f64
    };
    let made = product(&cpus, [m, n, k], [&a, &b]);
    // The first one multiplies and adds number by number.
    let plain = mean(&made[0].1);
    for (level, found) in &made {
        let error = mean(found);
        println!("{level:?}: {:.3} of the last place", error / f64::from(f32::EPSILON));
        assert!(error <= 1.05 * plain, "{level:?}: {error:e}, not {plain:e}");
    }
}

#[test]
fn infinities_and_the_largest_numbers_come_out_of_products() {
    let cpus = cpus();
    let [m, n, k] = [96, 129, 70];
    let (mut a, b) = (full(m * k, 1), full(n * k, 2));
    for (row, x) in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].into_iter().enumerate() {
        a[(20 * row + 3) * k + row] = x;
    }
    // The largest number has no nearest one of eight bits.
    a[80 * k..81 * k].fill(0.0);
    a[80 * k + 5] = f64::from(f32::MAX);
    let half: Vec<f64> = b.iter().map(|x| x / 8.0).collect();
    for (level, found) in product(&cpus, [m, n, k], [&a, &half]) {
        for (i, &x) in found.iter().enumerate() {
            let (a, b) = (&a[i / n * k..][..k], &half[i % n * k..][..k]);
            let expected: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            if expected.is_nan() {
                assert!(x.is_nan(), "{level:?}: {x} at {i}");
            } else if expected.is_infinite() {
                assert_eq!(x, expected, "{level:?} at {i}");
            } else {
                let terms: f64 = a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum();
                assert!((x - expected).abs() <= 1e-5 * terms, "{level:?}: {x}, {expected} at {i}");
            }
        }
    }
}

#[test]
fn very_small_numbers_among_others_change_nothing_else() {
    let [m, n, k] = [96, 129, 70];
    let (mut a, b) = (full(m * k, 1), full(n * k, 2));
    let small = [1e-30, 1e-35, 3e-39, f64::from(f32::from_bits(0x7f00)), -1e-36];
    for (i, x) in a.iter_mut().enumerate().filter(|(i, _)| i % 7 == 3) {
        *x = small[i % small.len()];
    }
    for (level, found) in product(&cpus(), [m, n, k], [&a, &b]) {
        for (i, &x) in found.iter().enumerate() {
            let (a, b) = (&a[i / n * k..][..k], &b[i % n * k..][..k]);
            let expected: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let terms: f64 = a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum();
            assert!((x - expected).abs() <= 1e-5 * terms, "{level:?}: {x}, {expected} at {i}");
        }
    }
}
