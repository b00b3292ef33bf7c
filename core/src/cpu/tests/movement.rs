//! Copies, fills, running sums, average pooling and access by index against their twins.

use super::{Made, close, cpus, input, numbers, out, run, run_into, try_run, view};
use crate::cpu::Cpu;
use crate::cpu::naive::{self, dense, dot, positions};
use crate::device::{Arg, GRID_RANK, Grid, IndexDims, Kernels, Pool2dDims, Slot, Span};
use crate::element::Float;
use crate::error::Error;

/// Copies a grid, its axes turned, every second element of a larger output, one axis backwards.
fn check_copy<E: Float>(cpus: &[Cpu], grid: Grid, backwards: usize) {
    let total: usize = grid.iter().product();
    let x = numbers(total, 1);
    let whole: Grid = grid.map(|n| 2 * n + 1);
    let len = whole.iter().product();
    let mut strides: [isize; GRID_RANK] = dense(whole).map(|stride| 2 * stride as isize);
    let last = grid[backwards].saturating_sub(1);
    let offset = dot([1; GRID_RANK], dense(whole)) + last * strides[backwards] as usize;
    strides[backwards] = -strides[backwards];
    let turned = [dense([grid[0], grid[1], grid[3], grid[2]])[0], grid[2] * grid[3], 1, grid[2]];
    let found = run::<E>(cpus, len, &[&x], |run| {
        run.fill(out(len), E::from_f64(0.5));
        run.copy(out(len), offset, strides, grid, view(input(0, total), turned));
    });
    let mut expected = vec![0.5; len];
    for at in positions(grid) {
        let mut to = at.map(|i| 2 * i + 1);
        to[backwards] = 2 * (last - at[backwards]) + 1;
        expected[dot(to, dense(whole))] = x[dot(at, turned)];
    }
    close::<E>(&found, &expected, 1.0, &format!("copy of {grid:?}, {backwards} backwards"));
}

fn check_cumsum<E: Float>(cpus: &[Cpu], dims: [usize; 3], reverse: bool) {
    let x = numbers(dims.iter().product(), 1);
    let found = run::<E>(cpus, x.len(), &[&x], |run| {
        run.cumsum(out(x.len()), input(0, x.len()), dims, reverse);
    });
    let scale = (dims[1] as f64).sqrt() + 1.0;
    close::<E>(&found, &naive::cumsum(&x, dims, reverse), scale, &format!("cumsum of {dims:?}"));
}

fn check_average<E: Float>(cpus: &[Cpu], d: Pool2dDims) {
    let [oh, ow] = d.out_size();
    let (x, dy) = (numbers(d.planes * d.height * d.width, 1), numbers(d.planes * oh * ow, 2));
    let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
    let points = (d.kernel[0] * d.kernel[1]) as f64;
    naive::for_each_point(&d, |i, o| {
        y[o] += x[i] / points;
        dx[i] += dy[o] / points;
    });
    let inputs: [&[f64]; 2] = [&x, &dy];
    let spans = [input(0, x.len()), input(1, dy.len())];
    let found = run::<E>(cpus, y.len(), &inputs, |run| run.avg_pool2d(out(y.len()), spans[0], d));
    close::<E>(&found, &y, 1.0, &format!("{d:?}"));
    let found = run::<E>(cpus, x.len(), &inputs, |run| {
        run.avg_pool2d_spread(out(x.len()), spans[1], d);
    });
    close::<E>(&found, &dx, 1.0, &format!("spread: {d:?}"));
}

/// Runs a kernel that takes indices, as integers and as floats.
fn with_indices<E: Float>(
    cpus: &[Cpu],
    len: usize,
    x: &[f64],
    indices: &[u32],
    kernel: impl Fn(&mut crate::cpu::CpuRun<'_, E>, Span, Span, Span),
) -> Made {
    let floats: Vec<f64> = indices.iter().map(|&i| f64::from(i)).collect();
    let spans =
        [Span::new(Slot::Index(0), 0, indices.len()), Span::new(Slot::Input(1), 0, indices.len())];
    let made = spans.map(|index| {
        run_into::<E>(cpus, &vec![1e30; len], &[x, &floats], indices, |run| {
            kernel(run, out(len), input(0, x.len()), index);
        })
    });
    assert_eq!(made[0], made[1], "the kind of index");
    made.into_iter().next_back().unwrap()
}

fn indices(count: usize, below: usize) -> Vec<u32> {
    numbers(count, 9).iter().map(|x| ((x + 1.0) / 2.0 * below as f64) as u32).collect()
}

fn check_along<E: Float>(cpus: &[Cpu], rows: usize, cols: usize, picks: usize) {
    let (dims, index) = (IndexDims { rows, cols, picks }, indices(rows * picks, cols));
    let (x, dy) = (numbers(rows * cols, 1), numbers(rows * picks, 2));
    let place = |i: usize| i / picks * cols + index[i] as usize;
    let expected: Vec<f64> = (0..dy.len()).map(|i| x[place(i)]).collect();
    let found = with_indices::<E>(cpus, dy.len(), &x, &index, |run, out, x, index| {
        run.gather_along(out, x, index, dims);
    });
    close::<E>(&found, &expected, 1.0, &format!("gather {dims:?}"));
    let mut expected = vec![0.0; x.len()];
    dy.iter().enumerate().for_each(|(i, dy)| expected[place(i)] += dy);
    let found = with_indices::<E>(cpus, x.len(), &dy, &index, |run, out, dy, index| {
        run.scatter_along(out, dy, index, dims);
    });
    close::<E>(&found, &expected, picks as f64, &format!("scatter {dims:?}"));
}

/// One element of each row.
fn check_gather<E: Float>(cpus: &[Cpu], rows: usize, cols: usize) {
    let (x, index) = (numbers(rows * cols, 1), indices(rows, cols));
    let found = with_indices::<E>(cpus, rows, &x, &index, |run, out, x, index| {
        run.gather(out, x, index, rows, cols);
    });
    let expected: Vec<f64> = (0..rows).map(|i| x[i * cols + index[i] as usize]).collect();
    close::<E>(&found, &expected, 1.0, &format!("gather {rows} of {cols}"));
}

fn check_fill<E: Float>(cpus: &[Cpu], len: usize) {
    let found = run::<E>(cpus, len + 2, &[], |run| {
        run.fill(Span::new(Slot::Workspace, 1, len), E::from_f64(0.5));
    });
    let (mut expected, old) = (vec![0.5; len + 2], E::from_f64(1e30).to_f64());
    (expected[0], expected[len + 1]) = (old, old);
    close::<E>(&found, &expected, 1.0, &format!("fill {len}"));
}

fn check_embedding<E: Float>(cpus: &[Cpu], rows: usize, cols: usize, picks: usize) {
    let (dims, index) = (IndexDims { rows, cols, picks }, indices(picks, rows));
    let (table, dy) = (numbers(rows * cols, 1), numbers(picks * cols, 2));
    let place = |i: usize| index[i / cols] as usize * cols + i % cols;
    let expected: Vec<f64> = (0..dy.len()).map(|i| table[place(i)]).collect();
    let found = with_indices::<E>(cpus, dy.len(), &table, &index, |run, out, table, index| {
        run.embedding(out, table, index, dims);
    });
    close::<E>(&found, &expected, 1.0, &format!("embedding {dims:?}"));
    let mut expected = vec![0.0; table.len()];
    dy.iter().enumerate().for_each(|(i, dy)| expected[place(i)] += dy);
    let found = with_indices::<E>(cpus, table.len(), &dy, &index, |run, out, dy, index| {
        run.embedding_add(out, dy, index, dims);
    });
    close::<E>(&found, &expected, (picks as f64).sqrt() + 2.0, &format!("scatter {dims:?}"));
}

#[test]
fn copies_into_strided_places() {
    let cpus = cpus();
    for grid in [
        [1, 1, 1, 1],
        [0, 3, 2, 5],
        [2, 3, 4, 5],
        [1, 7, 1, 300],
        [2, 3, 1, 0],
        [65, 1, 31, 7],
        [3, 1, 70, 257],
        [2, 2, 130, 131],
    ] {
        (0..GRID_RANK).for_each(|axis| {
            both!(check_copy, &cpus, grid, axis);
        });
    }
}

#[test]
fn fills_of_many_sizes() {
    let cpus = cpus();
    for len in [0, 1, 7, 13, 31, 65, 70_001] {
        both!(check_fill, &cpus, len);
    }
}

#[test]
fn kernels_that_run_only_if_a_number_is_finite() {
    let cpu = Cpu::with_threads(1);
    let ran = |value: f64, finite: bool| {
        let found = try_run::<f64>(&cpu, &[0.0], &[&[value]], &[], |run| {
            run.only_if(input(0, 1), finite, |run| run.fill(out(1), 7.0));
        });
        found.unwrap() == [7.0]
    };
    assert_eq!([ran(3.0, true), ran(3.0, false)], [true, false]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!([ran(value, true), ran(value, false)], [false, true]);
    }
}

#[test]
fn running_sums_of_many_sizes() {
    let cpus = cpus();
    for dims in [
        [1, 1, 1],
        [2, 0, 3],
        [3, 7, 1],
        [2, 5, 3],
        [0, 3, 2],
        [1, 65, 31],
        [65, 130, 13],
        [1, 70_001, 1],
    ] {
        let small = dims[1] <= 1000;
        for reverse in [false, true] {
            // The twin takes a square of the length.
            if small {
                both!(check_cumsum, &cpus, dims, reverse);
            } else {
                let x = vec![0.25; dims[1]];
                let found = run::<f32>(&cpus, x.len(), &[&x], |run| {
                    run.cumsum(out(x.len()), input(0, x.len()), dims, reverse);
                });
                let expected = |i: usize| if reverse { x.len() - i } else { i + 1 } as f64 * 0.25;
                let expected: Vec<f64> = (0..x.len()).map(expected).collect();
                assert!(found.iter().all(|(_, found)| *found == expected));
            }
        }
    }
}

#[test]
fn averages_of_many_sizes() {
    let cpus = cpus();
    for (planes, height, width) in
        [(0, 4, 4), (1, 1, 1), (2, 0, 5), (3, 7, 9), (13, 1, 65), (7, 31, 1), (65, 28, 28)]
    {
        for (kernel, stride, padding) in [
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
            ([2, 3], [1, 2], [1, 0]),
            ([1, 1], [3, 1], [0, 0]),
        ] {
            let dims = Pool2dDims { planes, height, width, kernel, stride, padding };
            both!(check_average, &cpus, dims);
        }
    }
}

#[test]
fn elements_and_rows_by_index() {
    let cpus = cpus();
    for (rows, cols, picks) in
        [(1, 1, 1), (3, 5, 2), (7, 13, 31), (65, 1, 31), (0, 3, 2), (3, 4, 0), (301, 257, 300)]
    {
        both!(check_gather, &cpus, rows, cols);
        both!(check_along, &cpus, rows, cols, picks);
        if rows > 0 || picks == 0 {
            both!(check_embedding, &cpus, rows, cols, picks);
        }
    }
}

#[test]
fn a_wrong_index_is_reported() {
    let cpu = Cpu::with_threads(1);
    let x = [0.0; 6];
    let dims = IndexDims { rows: 3, cols: 2, picks: 1 };
    let embedding = |floats: [f64; 2], indices: &[u32], slot: Slot| {
        try_run::<f32>(&cpu, &[0.0; 2], &[&x, &floats], indices, |run| {
            run.embedding(out(2), input(0, 6), Span::new(slot, 0, 1), dims);
        })
    };
    let (integer, float) = (Slot::Index(0), Slot::Input(1));
    assert!(embedding([0.0; 2], &[2], integer).is_ok());
    let error = embedding([0.0; 2], &[3], integer).unwrap_err();
    assert!(matches!(error, Error::IndexOutOfRange { index: 3, size: 3, .. }), "{error}");
    assert!(embedding([2.0, 0.0], &[0], float).is_ok());
    for wrong in [-1.0, 0.5, 3.0, f64::NAN, f64::INFINITY, 16_777_216.0] {
        let error = embedding([wrong, 0.0], &[0], float).unwrap_err();
        assert!(matches!(error, Error::IndexOutOfRange { size: 3, .. }), "{wrong}: {error}");
    }
}

#[test]
fn a_copy_out_of_place_is_named() {
    for (offset, stride) in [(0, 3), (1, -1), (9, 1)] {
        let cpu = Cpu::with_threads(1);
        let copy = || {
            try_run::<f32>(&cpu, &[0.0; 8], &[&[1.0; 4]], &[], |run| {
                let input: Arg = view(input(0, 4), [0, 0, 0, 1]);
                run.copy(out(8), offset, [0, 0, 0, stride], [1, 1, 1, 4], input);
            })
        };
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(copy)).unwrap_err();
        assert!(payload.downcast_ref::<String>().unwrap().contains("leave it"));
    }
}
