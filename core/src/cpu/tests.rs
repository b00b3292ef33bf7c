//! Every kernel against its twin in `naive`, on sizes that are multiples of nothing, in both element
//! types, and with the same bits for 1, 2 and 3 threads.

use super::naive::{self, dense, dot, positions};
use super::{Cpu, CpuBuffer, CpuRun};
use crate::device::{
    Access, Arg, Bindings, Conv2dDims, Counter, Device, Fold, Grid, Kernels, MatmulDims, Memory,
    Pool2dDims, Run, Slot, Span,
};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::random::{Rng, Seed, key, philox};

const COUNTER: Counter = Counter {
    seed: 7 << 33 | 5,
    step: 3,
    first_sample: 11,
};

fn cpus() -> [Cpu; 3] {
    [1, 2, 3].map(Cpu::with_threads)
}

/// Numbers that f32 holds exactly.
fn numbers(len: usize, stream: u64) -> Vec<f64> {
    let mut rng = Rng::new(Seed(1), stream);
    (0..len)
        .map(|_| f64::from((rng.uniform() * 2.0 - 1.0) as f32))
        .collect()
}

fn buffer<E: Float>(cpu: &Cpu, data: &[f64]) -> CpuBuffer<E> {
    let mut buffer = cpu.zeros(data.len()).unwrap();
    let data: Vec<E> = data.iter().map(|&x| E::from_f64(x)).collect();
    cpu.write(&mut buffer, 0, &data).unwrap();
    buffer
}

fn input(i: u8, len: usize) -> Span {
    Span::new(Slot::Input(i), 0, len)
}

/// Runs kernels that read inputs and indices and write the workspace, which begins as `workspace`.
fn try_run<E: Float>(
    cpu: &Cpu,
    workspace: &[f64],
    inputs: &[&[f64]],
    indices: &[u32],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Result<Vec<f64>> {
    let mut out = buffer::<E>(cpu, workspace);
    let inputs: Vec<CpuBuffer<E>> = inputs.iter().map(|data| buffer(cpu, data)).collect();
    let mut index = cpu.zeros::<u32>(indices.len())?;
    cpu.write(&mut index, 0, indices)?;
    let mut bindings = Bindings {
        workspace: Access::Write(&mut out),
        counter: COUNTER,
        ..Bindings::default()
    };
    for (slot, buffer) in bindings.inputs.iter_mut().zip(&inputs) {
        *slot = Some(buffer);
    }
    bindings.indices[0] = Some(&index);
    let mut run = cpu.run(bindings);
    f(&mut run);
    run.finish()?;
    Ok(out.as_slice().iter().map(|x| x.to_f64()).collect())
}

/// As [`try_run`] into `len` elements of rubbish, for every number of threads, with the same bits.
fn run<E: Float>(
    cpus: &[Cpu],
    len: usize,
    inputs: &[&[f64]],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Vec<f64> {
    let rubbish = vec![1e30; len];
    let results: Vec<Vec<u64>> = cpus
        .iter()
        .map(|cpu| try_run::<E>(cpu, &rubbish, inputs, &[], &f).unwrap())
        .map(|result| result.into_iter().map(f64::to_bits).collect())
        .collect();
    assert!(
        results.iter().all(|result| *result == results[0]),
        "bits depend on the threads"
    );
    results[0]
        .iter()
        .map(|&bits| f64::from_bits(bits))
        .collect()
}

/// Compares; `scale` is the size of the terms that were summed.
fn close<E: Float>(found: &[f64], expected: &[f64], scale: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let epsilon = if E::NAME == "F32" { 2e-6 } else { 1e-14 };
    for (i, (x, y)) in found.iter().zip(expected).enumerate() {
        let same = x == y || x.is_nan() && y.is_nan();
        assert!(
            same || (x - y).abs() <= epsilon * scale.max(y.abs()),
            "{what}: {x} is not {y} at {i}"
        );
    }
}

fn out(len: usize) -> Span {
    Span::new(Slot::Workspace, 0, len)
}

fn view(span: Span, strides: Grid) -> Arg {
    Arg::View { span, strides }
}

fn check_map<E: Float>(cpus: &[Cpu], grid: Grid) {
    let total: usize = grid.iter().product();
    let [_, b, c, d] = grid;
    let (x, bias, channel) = (numbers(total, 1), numbers(d, 2), numbers(b, 3));
    let turned = [dense([grid[0], b, d, c])[0], c * d, 1, c];
    let args = [
        view(input(0, total), dense(grid)),
        view(input(1, d), [0, 0, 0, 1]),
        view(input(2, b), [0, 1, 0, 0]),
        view(input(0, total), turned),
        Arg::Coordinate {
            strides: [0, 3, 0, 1],
        },
        Arg::Uniform {
            stream: 9,
            per_sample: (b * c * d).max(1),
        },
    ];
    let found = run::<E>(cpus, 2 * total, &[&x, &bias, &channel], |run| {
        let outs = [out(total), Span::new(Slot::Workspace, total, total)];
        let consts = [E::from_f64(0.5)];
        run.map(
            outs,
            grid,
            args,
            consts,
            |[x, y, z, t, i, u], [h]| [x * h + y + z, t * i + u],
            &[],
        );
    });
    let unit = |at: Grid| {
        let element = dot([0, at[1], at[2], at[3]], dense(grid));
        let counter = [element as u32 / 4, 9, 11 + at[0] as u32, 3];
        E::unit(philox(counter, key(COUNTER.seed))[element % 4]).to_f64()
    };
    let (first, second): (Vec<f64>, Vec<f64>) = positions(grid)
        .map(|at| {
            let i = dot(at, [0, 3, 0, 1]) as f64;
            let sum = x[dot(at, dense(grid))] * 0.5 + bias[at[3]] + channel[at[1]];
            (sum, x[dot(at, turned)] * i + unit(at))
        })
        .unzip();
    close::<E>(
        &found,
        &[first, second].concat(),
        2.0,
        &format!("map over {grid:?}"),
    );
}

fn check_reduce<E: Float>(cpus: &[Cpu], grid: Grid, reduced: [bool; 4], fold: Fold) {
    let total: usize = grid.iter().product();
    let (x, bias) = (numbers(total, 1), numbers(grid[3], 2));
    let kept: Grid = std::array::from_fn(|i| if reduced[i] { 1 } else { grid[i] });
    let outs = kept.iter().product();
    let strides: Grid = std::array::from_fn(|i| if reduced[i] { 0 } else { dense(kept)[i] });
    let args = [
        view(input(0, total), dense(grid)),
        view(input(1, grid[3]), [0, 0, 0, 1]),
    ];
    let found = run::<E>(cpus, outs, &[&x, &bias], |run| {
        run.reduce(
            out(outs),
            fold,
            grid,
            reduced,
            args,
            [],
            |[x, y], []| x * y,
            &[],
        );
    });
    let start = if fold == Fold::Sum {
        0.0
    } else {
        f64::NEG_INFINITY
    };
    let mut expected = vec![start; outs];
    for at in positions(grid) {
        let value = (E::from_f64(x[dot(at, dense(grid))]) * E::from_f64(bias[at[3]])).to_f64();
        let place = &mut expected[dot(at, strides)];
        *place = if fold == Fold::Sum {
            *place + value
        } else {
            place.max(value)
        };
    }
    let scale = (total as f64 / outs.max(1) as f64).sqrt().max(1.0);
    close::<E>(
        &found,
        &expected,
        scale,
        &format!("{fold:?} of {grid:?} over {reduced:?}"),
    );
}

fn check_matmul<E: Float>(cpus: &[Cpu], dims: MatmulDims, in_place: bool) {
    let MatmulDims { batch, m, n, k, .. } = dims;
    let len = batch * m * n;
    let a = numbers((batch.max(1) - 1) * dims.stride_a + m * k, 1);
    let b = numbers((batch.max(1) - 1) * dims.stride_b + n * k, 2);
    let (bias, old) = (numbers(n, 3), numbers(len, 4));
    let residual = if in_place { out(len) } else { input(3, len) };
    let args = [
        view(input(2, n), [0, 0, 0, 1]),
        view(residual, dense([1, batch, m, n])),
    ];
    let results: Vec<Vec<f64>> = cpus
        .iter()
        .map(|cpu| {
            try_run::<E>(cpu, &old, &[&a, &b, &bias, &old], &[], |run| {
                let (a, b) = (input(0, a.len()), input(1, b.len()));
                let two = [E::from_f64(2.0)];
                run.matmul(
                    out(len),
                    a,
                    b,
                    dims,
                    args,
                    two,
                    |s, [x, y], [c]| s * c + x + y,
                    &[],
                );
            })
            .unwrap()
        })
        .collect();
    assert!(
        results.iter().all(|result| *result == results[0]),
        "bits depend on the threads"
    );
    let products = naive::matmul(&a, &b, &dims);
    let expected: Vec<f64> = products
        .iter()
        .enumerate()
        .map(|(i, s)| s * 2.0 + bias[i % n] + old[i])
        .collect();
    close::<E>(
        &results[0],
        &expected,
        (k as f64).sqrt() + 1.0,
        &format!("{dims:?}"),
    );
}

fn check_conv<E: Float>(cpus: &[Cpu], d: Conv2dDims) {
    let [oh, ow] = d.out_size();
    let what = format!("{d:?}");
    let x = numbers(d.batch * d.in_channels * d.height * d.width, 1);
    let w = numbers(
        d.out_channels * (d.in_channels / d.groups) * d.kernel[0] * d.kernel[1],
        2,
    );
    let y_len = d.batch * d.out_channels * oh * ow;
    let (bias, dy) = (numbers(d.out_channels, 3), numbers(y_len, 4));
    let (mut y, mut dx, mut dw) = (vec![0.0; y_len], vec![0.0; x.len()], vec![0.0; w.len()]);
    naive::for_each_product(&d, |i, j, o| {
        y[o] += x[i] * w[j];
        dx[i] += dy[o] * w[j];
        dw[j] += dy[o] * x[i];
    });
    let grid = [d.batch, d.out_channels, oh, ow];
    for (y, dy) in y
        .iter_mut()
        .zip(&dy)
        .zip(positions(grid))
        .map(|((y, dy), at)| (y, dy + bias[at[1]]))
    {
        *y += dy;
    }
    let scale = |terms: usize| (terms as f64).sqrt() + 1.0;
    let (x_span, w_span, dy_span) = (input(0, x.len()), input(1, w.len()), input(3, y_len));
    let args = |other| {
        [
            view(input(2, bias.len()), [0, 1, 0, 0]),
            view(other, dense(grid)),
        ]
    };
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
        run.conv2d(
            out(y_len),
            x_span,
            w_span,
            d,
            args,
            [],
            |s, [b, o], []| s + b + o,
            &[],
        );
    });
    close::<E>(
        &found.unwrap(),
        &y,
        scale(w.len()),
        &format!("in place: {what}"),
    );
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.conv2d_input(out(x.len()), dy_span, w_span, d);
    });
    close::<E>(&found, &dx, scale(w.len()), &format!("dx: {what}"));
    let found = run::<E>(cpus, w.len(), &inputs, |run| {
        run.conv2d_weight(out(w.len()), x_span, dy_span, d);
    });
    close::<E>(&found, &dw, scale(y_len), &format!("dw: {what}"));
}

fn check_pool<E: Float>(cpus: &[Cpu], d: Pool2dDims) {
    let mut x = numbers(d.planes * d.height * d.width, 1);
    // Equal values and a not-a-number.
    x.iter_mut().for_each(|x| *x = (*x * 3.0).round());
    if let Some(x) = x.get_mut(5) {
        *x = f64::NAN;
    }
    let (g, [oh, ow]) = (numbers(x.len(), 3), d.out_size());
    let len = d.planes * oh * ow;
    let dy = numbers(len, 2);
    let places = naive::places_of_maxima(&x, &d);
    let take = |from: &[f64], none: f64| -> Vec<f64> {
        places
            .iter()
            .map(|place| place.map_or(none, |place| from[place]))
            .collect()
    };
    let mut dx = vec![0.0; x.len()];
    for (place, dy) in places.iter().zip(&dy) {
        if let Some(place) = place {
            dx[*place] += dy;
        }
    }
    let inputs: [&[f64]; 3] = [&x, &dy, &g];
    let spans = [input(0, x.len()), input(1, len), input(2, x.len())];
    let what = format!("{d:?}");
    let found = run::<E>(cpus, len, &inputs, |run| {
        run.max_pool2d(out(len), spans[0], d)
    });
    close::<E>(&found, &take(&x, f64::NEG_INFINITY), 1.0, &what);
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.max_pool2d_scatter(out(x.len()), spans[0], spans[1], d);
    });
    close::<E>(&found, &dx, 1.0, &what);
    let found = run::<E>(cpus, len, &inputs, |run| {
        run.max_pool2d_gather(out(len), spans[0], spans[2], d);
    });
    close::<E>(&found, &take(&g, 0.0), 1.0, &what);
}

macro_rules! both {
    ($check:ident, $($arg:expr),*) => {
        $check::<f32>($($arg),*);
        $check::<f64>($($arg),*);
    };
}

#[test]
fn map_over_many_grids() {
    let cpus = cpus();
    for grid in [
        [1, 1, 1, 1],
        [0, 3, 2, 5],
        [1, 1, 1, 1000],
        [2, 1, 7, 13],
        [3, 5, 1, 1],
        [2, 3, 4, 5],
        [1, 1, 64, 10],
        [2, 6, 13, 31],
        [3, 2, 2, 300],
        [2, 3, 70, 257],
        [1, 7, 31, 650],
    ] {
        both!(check_map, &cpus, grid);
    }
}

#[test]
fn map_works_in_place() {
    let cpu = Cpu::with_threads(2);
    let x = numbers(1000, 1);
    let found = try_run::<f32>(&cpu, &x, &[], &[], |run| {
        let grid = [1, 1, 1, 1000];
        let arg = view(out(1000), [0, 0, 0, 1]);
        run.map([out(1000)], grid, [arg, arg], [], |[x, y], []| [x + y], &[]);
    });
    let expected: Vec<f64> = x.iter().map(|x| x + x).collect();
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn integers_arrive_as_floats() {
    let cpu = Cpu::with_threads(1);
    let found = try_run::<f32>(&cpu, &[0.0; 6], &[], &[5, 9], |run| {
        let labels = Span::new(Slot::Index(0), 0, 2);
        let args = [
            view(labels, [0, 0, 1, 0]),
            Arg::Coordinate {
                strides: [0, 0, 0, 1],
            },
        ];
        run.map(
            [out(6)],
            [1, 1, 2, 3],
            args,
            [],
            |[label, i], []| [label * (i + 1.0)],
            &[],
        );
    });
    assert_eq!(found.unwrap(), [5.0, 10.0, 15.0, 9.0, 18.0, 27.0]);
}

#[test]
fn reduce_over_any_axes() {
    let cpus = cpus();
    let grids = [
        [1, 1, 1, 1],
        [2, 3, 4, 5],
        [0, 3, 1, 2],
        [3, 0, 2, 2],
        [1, 1, 64, 10],
        [7, 6, 13, 31],
        [1, 1, 300, 700],
        [2, 2, 40_000, 1],
        [1, 3, 1, 70_001],
    ];
    for grid in grids {
        for bits in 0..16 {
            let reduced = std::array::from_fn(|i| bits >> i & 1 == 1);
            for fold in [Fold::Sum, Fold::Max] {
                both!(check_reduce, &cpus, grid, reduced, fold);
            }
        }
    }
}

#[test]
fn long_sums_of_f32_are_accurate() {
    let cpu = Cpu::with_threads(2);
    let n = 1_000_003;
    let x = vec![f64::from(0.1_f32); n];
    let found = try_run::<f32>(&cpu, &[0.0], &[&x], &[], |run| {
        let args = [view(input(0, n), [0, 0, 0, 1])];
        run.reduce(
            out(1),
            Fold::Sum,
            [1, 1, 1, n],
            [true; 4],
            args,
            [],
            |[x], []| x,
            &[],
        );
    });
    let expected = n as f64 * x[0];
    assert!((found.unwrap()[0] / expected - 1.0).abs() < 1e-7);
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
    for (batch, in_channels, out_channels, groups) in [
        (1, 1, 6, 1),
        (0, 2, 3, 1),
        (3, 3, 10, 1),
        (1, 4, 6, 2),
        (2, 5, 5, 5),
        (19, 2, 17, 1),
    ] {
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
    let large = Conv2dDims {
        height: 30,
        width: 31,
        ..base
    };
    both!(
        check_conv,
        &cpus,
        Conv2dDims {
            batch: 65,
            in_channels: 3,
            out_channels: 7,
            ..large
        }
    );
    both!(
        check_conv,
        &cpus,
        Conv2dDims {
            batch: 1,
            in_channels: 13,
            out_channels: 65,
            ..large
        }
    );
}

#[test]
fn pooling_of_many_sizes() {
    let cpus = cpus();
    for (planes, height, width) in [(0, 4, 4), (1, 1, 1), (3, 7, 9), (65, 28, 28), (90, 41, 40)] {
        for (kernel, stride, padding) in [
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
            ([2, 3], [1, 2], [1, 0]),
            ([3, 1], [3, 1], [0, 0]),
        ] {
            both!(
                check_pool,
                &cpus,
                Pool2dDims {
                    planes,
                    height,
                    width,
                    kernel,
                    stride,
                    padding
                }
            );
        }
    }
}

#[test]
fn gather_takes_one_of_each_row_and_reports_a_wrong_index() {
    let cpu = Cpu::with_threads(1);
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let index = Span::new(Slot::Index(0), 0, 2);
    let gather = |indices: &[u32]| {
        try_run::<f32>(&cpu, &[0.0; 2], &[&x], indices, |run| {
            run.gather(out(2), input(0, 6), index, 2, 3);
        })
    };
    assert_eq!(gather(&[2, 0]).unwrap(), [3.0, 4.0]);
    let error = gather(&[2, 3]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::IndexOutOfRange {
                index: 3,
                size: 3,
                ..
            }
        ),
        "{error}"
    );
}

/// What a wrong plan is told.
fn message(f: impl Fn(&mut CpuRun<'_, f32>)) -> String {
    let cpu = Cpu::with_threads(1);
    let run = || try_run::<f32>(&cpu, &[0.0; 4], &[&[1.0; 4]], &[], &f);
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
    payload.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_wrong_span_is_named() {
    let copy = |run: &mut CpuRun<'_, f32>, to: Span, from: Span| {
        let args = [view(from, [0, 0, 0, 1])];
        run.map([to], [1, 1, 1, to.len], args, [], |[x], []| [x], &[]);
    };
    let params = Span::new(Slot::Params, 0, 4);
    let cases = [
        (
            message(|run| copy(run, input(0, 4), out(4))),
            "not bound for writing",
        ),
        (
            message(|run| copy(run, out(4), params)),
            "beyond the 0 elements",
        ),
        (
            message(|run| copy(run, out(5), input(0, 4))),
            "beyond the 4 elements",
        ),
        (message(|run| copy(run, out(4), input(0, 3))), "leave it"),
        (
            message(|run| copy(run, out(3), Span::new(Slot::Workspace, 1, 3))),
            "in another order",
        ),
    ];
    for (found, expected) in cases {
        assert!(
            found.contains(expected) && found.contains("Span"),
            "{found}"
        );
    }
}
