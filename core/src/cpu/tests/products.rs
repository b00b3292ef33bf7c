//! Products and convolutions against their twins.

use super::{close, cpus, input, numbers, out, run, try_run, view};
use crate::cpu::Cpu;
use crate::cpu::naive::{self, dense, positions};
use crate::device::{Conv2dDims, Kernels, MatmulDims};
use crate::element::Float;

fn check_matmul<E: Float>(cpus: &[Cpu], dims: MatmulDims, in_place: bool) {
    let MatmulDims { batch, m, n, k, .. } = dims;
    let len = batch * m * n;
    let a = numbers((batch.max(1) - 1) * dims.stride_a + m * k, 1);
    let b = numbers((batch.max(1) - 1) * dims.stride_b + n * k, 2);
    let (bias, old) = (numbers(n, 3), numbers(len, 4));
    let residual = if in_place { out(len) } else { input(3, len) };
    let args = [view(input(2, n), [0, 0, 0, 1]), view(residual, dense([1, batch, m, n]))];
    let results: Vec<Vec<f64>> = cpus
        .iter()
        .map(|cpu| {
            try_run::<E>(cpu, &old, &[&a, &b, &bias, &old], &[], |run| {
                let (a, b) = (input(0, a.len()), input(1, b.len()));
                let two = [E::from_f64(2.0)];
                run.matmul(out(len), a, b, dims, args, two, |s, [x, y], [c]| s * c + x + y, &[]);
            })
            .unwrap()
        })
        .collect();
    assert!(results.iter().all(|result| *result == results[0]), "bits depend on the threads");
    let products = naive::matmul(&a, &b, &dims);
    let expected: Vec<f64> =
        products.iter().enumerate().map(|(i, s)| s * 2.0 + bias[i % n] + old[i]).collect();
    close::<E>(&results[0], &expected, (k as f64).sqrt() + 1.0, &format!("{dims:?}"));
}

fn check_conv<E: Float>(cpus: &[Cpu], d: Conv2dDims) {
    let [oh, ow] = d.out_size();
    let what = format!("{d:?}");
    let x = numbers(d.batch * d.in_channels * d.height * d.width, 1);
    let w = numbers(d.out_channels * (d.in_channels / d.groups) * d.kernel[0] * d.kernel[1], 2);
    let y_len = d.batch * d.out_channels * oh * ow;
    let (bias, dy) = (numbers(d.out_channels, 3), numbers(y_len, 4));
    let (mut y, mut dx, mut dw) = (vec![0.0; y_len], vec![0.0; x.len()], vec![0.0; w.len()]);
    naive::for_each_product(&d, |i, j, o| {
        y[o] += x[i] * w[j];
        dx[i] += dy[o] * w[j];
        dw[j] += dy[o] * x[i];
    });
    let grid = [d.batch, d.out_channels, oh, ow];
    for (y, dy) in
        y.iter_mut().zip(&dy).zip(positions(grid)).map(|((y, dy), at)| (y, dy + bias[at[1]]))
    {
        *y += dy;
    }
    let scale = |terms: usize| (terms as f64).sqrt() + 1.0;
    let (x_span, w_span, dy_span) = (input(0, x.len()), input(1, w.len()), input(3, y_len));
    let args = |other| [view(input(2, bias.len()), [0, 1, 0, 0]), view(other, dense(grid))];
    let inputs: [&[f64]; 4] = [&x, &w, &bias, &dy];
    let found = run::<E>(cpus, y_len, &inputs, |run| {
        run.conv2d(
            out(y_len),
            x_span,
            w_span,
            d,
            args(dy_span),
            [],
            |s, [b, o], []| s + b + o,
            &[],
        );
    });
    close::<E>(&found, &y, scale(w.len()), &what);
    let found = try_run::<E>(&cpus[1], &dy, &inputs, &[], |run| {
        let args = args(out(y_len));
        run.conv2d(out(y_len), x_span, w_span, d, args, [], |s, [b, o], []| s + b + o, &[]);
    });
    close::<E>(&found.unwrap(), &y, scale(w.len()), &format!("in place: {what}"));
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.conv2d_input(out(x.len()), dy_span, w_span, d);
    });
    close::<E>(&found, &dx, scale(w.len()), &format!("dx: {what}"));
    let found = run::<E>(cpus, w.len(), &inputs, |run| {
        run.conv2d_weight(out(w.len()), x_span, dy_span, d);
    });
    close::<E>(&found, &dw, scale(y_len), &format!("dw: {what}"));
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
        for bits in 0..16 {
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
            both!(check_matmul, &cpus, dims, flag(3));
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
                    both!(check_conv, &cpus, dims);
                }
            }
        }
    }
    let large = Conv2dDims { height: 30, width: 31, ..base };
    both!(check_conv, &cpus, Conv2dDims { batch: 65, in_channels: 3, out_channels: 7, ..large });
    both!(check_conv, &cpus, Conv2dDims { batch: 1, in_channels: 13, out_channels: 65, ..large });
}
