//! Maps, reductions, pooling and gathering against their twins, and what a wrong plan is told.

use super::{COUNTER, close, cpus, input, numbers, out, run, run_into, try_run, view};
use crate::cpu::naive::{self, dense, dot, positions};
use crate::cpu::{Cpu, CpuRun};
use crate::device::{Arg, Fold, Grid, Kernels, Pool2dDims, Slot, Span};
use crate::element::Float;
use crate::error::Error;
use crate::random::{key, philox};

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
        Arg::Coordinate { strides: [0, 3, 0, 1] },
        Arg::Uniform { stream: 9, per_sample: (b * c * d).max(1) },
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
    close::<E>(&found, &[first, second].concat(), 2.0, &format!("map over {grid:?}"));
}

fn check_reduce<E: Float>(cpus: &[Cpu], grid: Grid, reduced: [bool; 4], fold: Fold) {
    let total: usize = grid.iter().product();
    let (x, bias) = (numbers(total, 1), numbers(grid[3], 2));
    let kept: Grid = std::array::from_fn(|i| if reduced[i] { 1 } else { grid[i] });
    let outs = kept.iter().product();
    let strides: Grid = std::array::from_fn(|i| if reduced[i] { 0 } else { dense(kept)[i] });
    let args = [view(input(0, total), dense(grid)), view(input(1, grid[3]), [0, 0, 0, 1])];
    let found = run::<E>(cpus, outs, &[&x, &bias], |run| {
        run.reduce(out(outs), fold, grid, reduced, args, [], |[x, y], []| x * y, &[]);
    });
    let start = if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
    let mut expected = vec![start; outs];
    for at in positions(grid) {
        let value = (E::from_f64(x[dot(at, dense(grid))]) * E::from_f64(bias[at[3]])).to_f64();
        let place = &mut expected[dot(at, strides)];
        *place = if fold == Fold::Sum { *place + value } else { place.max(value) };
    }
    let scale = (total as f64 / outs.max(1) as f64).sqrt().max(1.0);
    close::<E>(&found, &expected, scale, &format!("{fold:?} of {grid:?} over {reduced:?}"));
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
        places.iter().map(|place| place.map_or(none, |place| from[place])).collect()
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
    let found = run::<E>(cpus, len, &inputs, |run| run.max_pool2d(out(len), spans[0], d));
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
        [65, 1, 31, 7],
        [1, 3, 0, 65],
        [3, 2, 2, 300],
        [2, 3, 70, 257],
        [1, 7, 31, 650],
    ] {
        both!(check_map, &cpus, grid);
    }
}

#[test]
fn map_works_in_place() {
    for len in [1, 7, 1000, 70_001] {
        let x = numbers(len, 1);
        let made = run_into::<f32>(&cpus(), &x, &[], &[], |run| {
            let arg = view(out(len), [0, 0, 0, 1]);
            run.map([out(len)], [1, 1, 1, len], [arg, arg], [], |[x, y], []| [x + y], &[]);
        });
        let expected: Vec<f64> = x.iter().map(|x| x + x).collect();
        assert!(made.iter().all(|(_, found)| *found == expected));
    }
}

#[test]
fn integers_arrive_as_floats() {
    let cpu = Cpu::with_threads(1);
    let found = try_run::<f32>(&cpu, &[0.0; 6], &[], &[5, 9], |run| {
        let labels = Span::new(Slot::Index(0), 0, 2);
        let args = [view(labels, [0, 0, 1, 0]), Arg::Coordinate { strides: [0, 0, 0, 1] }];
        run.map([out(6)], [1, 1, 2, 3], args, [], |[label, i], []| [label * (i + 1.0)], &[]);
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
        [65, 1, 7, 1],
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
    let n = 1_000_003;
    let x = vec![f64::from(0.1_f32); n];
    let made = run::<f32>(&cpus(), 1, &[&x], |run| {
        let args = [view(input(0, n), [0, 0, 0, 1])];
        run.reduce(out(1), Fold::Sum, [1, 1, 1, n], [true; 4], args, [], |[x], []| x, &[]);
    });
    let expected = n as f64 * x[0];
    for (level, found) in made {
        assert!((found[0] / expected - 1.0).abs() < 1e-7, "{level:?}");
    }
}

#[test]
fn pooling_of_many_sizes() {
    let cpus = cpus();
    for (planes, height, width) in [
        (0, 4, 4),
        (1, 1, 1),
        (2, 0, 5),
        (3, 7, 9),
        (13, 1, 65),
        (7, 31, 1),
        (65, 28, 28),
        (90, 41, 40),
    ] {
        for (kernel, stride, padding) in [
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
            ([2, 3], [1, 2], [1, 0]),
            ([3, 1], [3, 1], [0, 0]),
        ] {
            both!(check_pool, &cpus, Pool2dDims { planes, height, width, kernel, stride, padding });
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
    assert!(matches!(error, Error::IndexOutOfRange { index: 3, size: 3, .. }), "{error}");
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
        (message(|run| copy(run, input(0, 4), out(4))), "not bound for writing"),
        (message(|run| copy(run, out(4), params)), "beyond the 0 elements"),
        (message(|run| copy(run, out(5), input(0, 4))), "beyond the 4 elements"),
        (message(|run| copy(run, out(4), input(0, 3))), "leave it"),
        (message(|run| copy(run, out(3), Span::new(Slot::Workspace, 1, 3))), "in another order"),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected) && found.contains("Span"), "{found}");
    }
}
