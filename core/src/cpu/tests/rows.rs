//! Programs over rows against their twin.

use super::{close, cpus, input, numbers, out, run, try_run, view};
use crate::cpu::naive::{NaiveRow, dense, dot, positions};
use crate::cpu::{Cpu, CpuRun};
use crate::device::{Arg, Grid, Kernels, Row, RowProgram, RowTo, Slot, Span};
use crate::element::Float;
use crate::error::Error;

/// Softmax of x * scale + column, its entropy and an element of it: three passes, a kept row, a picked element.
#[derive(Clone, Copy)]
struct Softmax;

impl<E: Float> RowProgram<E, 1, 1> for Softmax {
    const WIDE: &'static [bool] = &[true, false, true, false];
    const KEPT: usize = 1;
    const NUMBERS: usize = 5;

    fn run<R: Row<E>>(self, row: &mut R, [p0]: [R::Number; 1], [c0]: [E; 1]) {
        let x = |[a0, a1]: [E; 2]| a0 * c0 + a1;
        let [s0] = row.pass([0, 1], [], [RowTo::Max], |a, []| [x(a)]);
        let [_, s1] = row.pass([0, 1], [s0], [RowTo::Keep(0), RowTo::Sum], |a, [s0]| {
            let e = (x(a) - s0).exp();
            [e, e]
        });
        let picked = row.pick(p0, [0, 1], [], |a, []| x(a));
        let loss = row.number([s0, s1, picked], |[s0, s1, picked]| s0 + s1.ln() - picked);
        row.put(1, loss);
        let [_, _, s2] =
            row.pass([3, 2], [s1], [RowTo::Out(0), RowTo::Out(2), RowTo::Sum], |[k0, i], [s1]| {
                [k0 / s1, k0 * i, k0 * k0.ln()]
            });
        row.put(3, s2);
    }
}

const SCALE: f64 = 1.5;

/// The inputs of [`Softmax`]: a matrix that is stored turned or not, a column of numbers, the place in the row;
/// and an index.
fn arguments(grid: Grid, turned: bool) -> ([Arg; 3], [Arg; 1], [Vec<f64>; 3]) {
    let [a, b, c, d] = grid;
    let total = a * b * c * d;
    let labels = (0..a * b * c).map(|i| ((i * 7 + 3) % d.max(1)) as f64).collect();
    let data = [numbers(total, 1), numbers(d, 2), labels];
    let x = if turned { [b * c * d, d * c, 1, c] } else { dense(grid) };
    let ins = [
        view(input(0, total), x),
        view(input(1, d), [0, 0, 0, 1]),
        Arg::Coordinate { strides: [0, 0, 0, 1] },
    ];
    (ins, [view(input(2, a * b * c), [b * c, c, 1, 0])], data)
}

fn strides(arg: Arg) -> Grid {
    match arg {
        Arg::View { strides, .. } | Arg::Coordinate { strides } => strides,
        Arg::Uniform { .. } => unreachable!("no random numbers here"),
    }
}

/// The outputs one after another.
fn expected<E: Float>(grid: Grid, turned: bool) -> Vec<f64> {
    let (ins, _, data) = arguments(grid, turned);
    let len = grid[3];
    let all: Vec<Grid> = positions(grid).collect();
    let mut found: [Vec<f64>; 4] = Default::default();
    for (row, at) in all.chunks(len.max(1)).enumerate() {
        let values = |i: usize| {
            let value = |at: &Grid| match i {
                2 => at[3] as f64,
                _ => data[i][dot(*at, strides(ins[i]))],
            };
            at.iter().map(|at| E::from_f64(value(at))).collect()
        };
        let mut naive = NaiveRow {
            ins: (0..3).map(values).collect(),
            kept: vec![vec![E::ZERO; len]],
            outs: vec![vec![E::ZERO; len]; 4],
            len,
        };
        let label = E::from_f64(data[2][row]);
        Softmax.run(&mut naive, [label], [E::from_f64(SCALE)]);
        for (found, out) in found.iter_mut().zip(naive.outs) {
            found.extend(out.iter().map(|x| x.to_f64()));
        }
    }
    found.concat()
}

/// The outputs of [`Softmax`] in the workspace.
fn outs(grid: Grid) -> [Span; 4] {
    let (rows, total) = (grid[..3].iter().product::<usize>(), grid.iter().product::<usize>());
    let mut first = 0;
    [total, rows, total, rows].map(|len| {
        first += len;
        Span::new(Slot::Workspace, first - len, len)
    })
}

fn check<E: Float>(cpus: &[Cpu], grid: Grid, turned: bool) {
    let (ins, params, data) = arguments(grid, turned);
    let spans = outs(grid);
    let len = spans.iter().map(|span| span.len).sum();
    let inputs: [&[f64]; 3] = data.each_ref().map(|data| &data[..]);
    let found = run::<E>(cpus, len, &inputs, |run| {
        run.rows(spans, grid, 3, ins, params, [E::from_f64(SCALE)], Softmax, &[]);
    });
    let expected = expected::<E>(grid, turned);
    close::<E>(&found, &expected, grid[3] as f64, &format!("{grid:?}, turned: {turned}"));
}

#[test]
fn rows_of_many_sizes() {
    let cpus = cpus();
    for size in [1, 7, 13, 16, 31, 65, 256, 257, 1000] {
        for rows in [[1, 1, 1], [1, 2, 3], [2, 3, 13]] {
            let [a, b, c] = rows;
            both!(check, &cpus, [a, b, c, size], false);
            both!(check, &cpus, [a, b, c, size], true);
        }
    }
    // Several tasks, with many short rows.
    both!(check, &cpus, [1, 1, 3001, 10], false);
    both!(check, &cpus, [1, 0, 3, 10], false);
    both!(check, &cpus, [1, 1, 70, 5000], false);
}

/// Folds alone, of rows of two axes that do not lie one after another.
#[derive(Clone, Copy)]
struct Largest;

impl<E: Float> RowProgram<E, 0, 0> for Largest {
    const WIDE: &'static [bool] = &[false, false];
    const KEPT: usize = 0;
    const NUMBERS: usize = 2;

    fn run<R: Row<E>>(self, row: &mut R, []: [R::Number; 0], []: [E; 0]) {
        let [s0, s1] = row.pass([0], [], [RowTo::Max, RowTo::Sum], |[x], []| [x, x]);
        row.put(0, s0);
        row.put(1, s1);
    }
}

#[test]
fn rows_of_several_axes_and_what_is_not_a_number() {
    // [rows, 2, 3] stored as [2, rows, 3].
    let mut x: Vec<f64> = (0..24).map(f64::from).collect();
    let largest = |x: &[f64], grid: Grid, strides: Grid| {
        run::<f32>(&cpus(), 8, &[x], |run| {
            let spans = [out(4), Span::new(Slot::Workspace, 4, 4)];
            let args = [view(input(0, x.len()), strides)];
            run.rows(spans, grid, 2, args, [], [], Largest, &[]);
        })
    };
    for (_, found) in largest(&x, [1, 4, 2, 3], [0, 3, 12, 1]) {
        assert_eq!(found, [14.0, 17.0, 20.0, 23.0, 42.0, 60.0, 78.0, 96.0]);
    }
    x[3] = f64::NAN;
    for (_, found) in largest(&x, [1, 4, 2, 3], [0, 3, 12, 1]) {
        assert!(found[1].is_nan() && found[5].is_nan());
        assert_eq!([found[0], found[2]], [14.0, 20.0]);
    }
    // Nothing to fold.
    for (_, found) in largest(&[], [1, 4, 1, 0], [0, 0, 0, 1]) {
        let none = f64::NEG_INFINITY;
        assert_eq!(found, [none, none, none, none, 0.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn the_first_wrong_index_is_reported() {
    let grid = [1, 1, 2000, 13];
    let (ins, params, data) = arguments(grid, false);
    let spans = outs(grid);
    let len = spans.iter().map(|span| span.len).sum();
    for cpu in cpus() {
        for wrong in [13.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            let mut labels = data[2].clone();
            (labels[1500], labels[700]) = (13.0, wrong);
            let inputs: [&[f64]; 3] = [&data[0], &data[1], &labels];
            let result = try_run::<f32>(&cpu, &vec![0.0; len], &inputs, &[], |run| {
                run.rows(spans, grid, 3, ins, params, [1.0], Softmax, &[]);
            });
            let Err(Error::IndexOutOfRange { what, size: 13, .. }) = result else {
                panic!("{wrong}: {result:?}")
            };
            assert_eq!(what, "row 700");
        }
    }
}

#[test]
fn a_wrong_integer_is_reported_exactly() {
    let grid = [1, 1, 3, 13];
    let (ins, _, data) = arguments(grid, false);
    let spans = outs(grid);
    let len = spans.iter().map(|span| span.len).sum();
    let inputs: [&[f64]; 2] = [&data[0], &data[1]];
    let labels = [3, u32::MAX, 40];
    let params = [view(Span::new(Slot::Index(0), 0, 3), [0, 0, 1, 0])];
    let result = try_run::<f32>(&Cpu::with_threads(1), &vec![0.0; len], &inputs, &labels, |run| {
        run.rows(spans, grid, 3, ins, params, [1.0], Softmax, &[]);
    });
    let Err(Error::IndexOutOfRange { what, index, size: 13, .. }) = result else {
        panic!("{result:?}")
    };
    assert_eq!((what.as_str(), index), ("row 1", u32::MAX as usize));
}

#[test]
#[should_panic(expected = "written while")]
fn rows_are_not_computed_in_place() {
    let run = |run: &mut CpuRun<'_, f32>| {
        let args = [view(out(4), [0, 0, 0, 1])];
        let spans = [out(1), Span::new(Slot::Workspace, 4, 1)];
        run.rows(spans, [1, 1, 1, 4], 3, args, [], [], Largest, &[]);
    };
    let _ = try_run::<f32>(&Cpu::with_threads(1), &[0.0; 5], &[], &[], run);
}
