//! Products and convolutions against their twins.

use super::{close, cpus, input, numbers, out, run, try_run, view};
use crate::cpu::naive::{self, dense};
use crate::cpu::{Cpu, CpuRun};
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

/// What a product with [`fused`] leaves in the workspace, which begins as `old`, with the same bits for
/// every number of threads. `old` has the values of the outputs that are inputs too.
fn same_bits<E: Float>(
    cpus: &[Cpu],
    old: &[f64],
    inputs: &[&[f64]],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Vec<f64> {
    let result = |cpu| try_run::<E>(cpu, old, inputs, &[], &f).unwrap();
    let results: Vec<Vec<f64>> = cpus.iter().map(result).collect();
    let bits = |result: &[f64]| result.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    assert!(results.iter().all(|result| bits(result) == bits(&results[0])), "threads change bits");
    results[0].clone()
}

/// The outputs of [`fused`], one after another.
fn expected<const M: usize>(sums: &[f64], x: impl Fn(usize) -> f64, yz: [&[f64]; 2]) -> Vec<f64> {
    let all = |i: usize| fused::<f64, M>(sums[i], [x(i), yz[0][i], yz[1][i]], [2.0]);
    (0..M).flat_map(|j| (0..sums.len()).map(move |i| all(i)[j])).collect()
}

fn check_matmul<E: Float, const M: usize>(cpus: &[Cpu], dims: MatmulDims, in_place: InPlace) {
    let MatmulDims { batch, m, n, k, .. } = dims;
    let (len, what) = (batch * m * n, format!("{M} outputs, {in_place:?}: {dims:?}"));
    let a = numbers((batch.max(1) - 1) * dims.stride_a + m * k, 1);
    let b = numbers((batch.max(1) - 1) * dims.stride_b + n * k, 2);
    let (bias, old) = (numbers(n, 3), numbers(3 * len, 4));
    let part = |i: usize| Span::new(Slot::Input(3), i * len, len);
    let spans = in_place.spans::<M>([part(1), part(2)]);
    let [y, z] = spans.map(|span| &old[span.offset..][..len]);
    let dense = |span| view(span, dense([1, batch, m, n]));
    let args = [view(input(2, n), [0, 0, 0, 1]), dense(spans[0]), dense(spans[1])];
    let found = same_bits::<E>(cpus, &old[..M * len], &[&a, &b, &bias, &old], |run| {
        let (a, b, two) = (input(0, a.len()), input(1, b.len()), [E::from_f64(2.0)]);
        run.matmul(outs::<M>(len), a, b, dims, args, two, fused::<E, M>, &[]);
    });
    let sums = naive::matmul(&a, &b, &dims);
    let expected = expected::<M>(&sums, |i| bias[i % n], [y, z]);
    close::<E>(&found, &expected, (k as f64).sqrt() + 1.0, &what);
}

fn check_conv<E: Float, const M: usize>(cpus: &[Cpu], d: Conv2dDims, in_place: InPlace) {
    let [oh, ow] = d.out_size();
    let what = format!("{M} outputs, {in_place:?}: {d:?}");
    let x = numbers(d.batch * d.in_channels * d.height * d.width, 1);
    let w = numbers(d.out_channels * (d.in_channels / d.groups) * d.kernel[0] * d.kernel[1], 2);
    let len = d.batch * d.out_channels * oh * ow;
    let (bias, old) = (numbers(d.out_channels, 3), numbers(3 * len, 4));
    let mut sums = vec![0.0; len];
    naive::for_each_product(&d, |i, j, o| sums[o] += x[i] * w[j]);
    let part = |i: usize| Span::new(Slot::Input(3), i * len, len);
    let spans = in_place.spans::<M>([part(1), part(2)]);
    let [y, z] = spans.map(|span| &old[span.offset..][..len]);
    let dense = |span| view(span, dense([d.batch, d.out_channels, oh, ow]));
    let args = [view(input(2, bias.len()), [0, 1, 0, 0]), dense(spans[0]), dense(spans[1])];
    let found = same_bits::<E>(cpus, &old[..M * len], &[&x, &w, &bias, &old], |run| {
        let (x, w, two) = (input(0, x.len()), input(1, w.len()), [E::from_f64(2.0)]);
        run.conv2d(outs::<M>(len), x, w, d, args, two, fused::<E, M>, &[]);
    });
    let expected = expected::<M>(&sums, |i| bias[i / (oh * ow) % d.out_channels], [y, z]);
    close::<E>(&found, &expected, (w.len() as f64).sqrt() + 1.0, &what);
}

fn check_conv_gradients<E: Float>(cpus: &[Cpu], d: Conv2dDims) {
    let [oh, ow] = d.out_size();
    let what = format!("{d:?}");
    let x = numbers(d.batch * d.in_channels * d.height * d.width, 1);
    let w = numbers(d.out_channels * (d.in_channels / d.groups) * d.kernel[0] * d.kernel[1], 2);
    let dy = numbers(d.batch * d.out_channels * oh * ow, 4);
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    naive::for_each_product(&d, |i, j, o| {
        dx[i] += dy[o] * w[j];
        dw[j] += dy[o] * x[i];
    });
    let scale = |terms: usize| (terms as f64).sqrt() + 1.0;
    let (x_span, w_span, dy_span) = (input(0, x.len()), input(1, w.len()), input(2, dy.len()));
    let inputs: [&[f64]; 3] = [&x, &w, &dy];
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.conv2d_input(out(x.len()), dy_span, w_span, d);
    });
    close::<E>(&found, &dx, scale(w.len()), &format!("dx: {what}"));
    let found = run::<E>(cpus, w.len(), &inputs, |run| {
        run.conv2d_weight(out(w.len()), x_span, dy_span, d);
    });
    close::<E>(&found, &dw, scale(dy.len()), &format!("dw: {what}"));
}

fn convolution(cpus: &[Cpu], d: Conv2dDims) {
    both!(check_conv_gradients, cpus, d);
    by_outputs!(check_conv, cpus, d);
}

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
            by_outputs!(check_matmul, &cpus, dims);
        }
    }
}

#[test]
fn convolutions_of_many_sizes() {
    let cpus = cpus();
    let base = Conv2dDims {
        batch: 2,
        in_channels: 1,
        height: 7,
        width: 7,
        out_channels: 1,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
    };
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
    let large = Conv2dDims { height: 30, width: 31, ..base };
    convolution(&cpus, Conv2dDims { batch: 65, in_channels: 3, out_channels: 7, ..large });
    convolution(&cpus, Conv2dDims { batch: 1, in_channels: 13, out_channels: 65, ..large });
}
