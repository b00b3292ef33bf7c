//! Kernels on Vulkan that take large tensors in another way than small ones, against the CPU: four elements at once, and
//! many indices.

mod common;

use common::{close, numbers, vulkan};
use netform_core::device::{Arg, Grid, IndexDims, Kernels, Slot, Span};

fn input(i: u8, len: usize) -> Span {
    Span::new(Slot::Input(i), 0, len)
}

fn work(offset: usize, len: usize) -> Span {
    Span::new(Slot::Workspace, offset, len)
}

fn view(span: Span, strides: Grid) -> Arg {
    Arg::View { span, strides }
}

#[test]
fn maps_of_four() {
    let Some(vulkan) = vulkan("maps_of_four") else { return };
    for (grid, offset) in [
        ([1, 1, 300, 1000], 16),
        // An end that is no multiple of four; then rows that are none, and a place that is none.
        ([1, 1, 1, 65_539], 16),
        ([1, 1, 701, 99], 16),
        ([1, 1, 300, 1000], 3),
        ([2, 30, 40, 32], 0),
    ] {
        let [a, b, c, d] = grid;
        let total = a * b * c * d;
        let (x, bias, scale) = (numbers(total, 1), numbers(d, 2), numbers(a * b * c, 3));
        let labels: Vec<u32> = (0..total as u32).map(|i| i % 77).collect();
        let inputs: Vec<&[f32]> = vec![&x, &bias, &scale];
        let size = offset + 2 * total + 20;
        let (found, expected) = on_both!(vulkan, size, inputs, &labels, |k| {
            let dense = [b * c * d, c * d, d, 1];
            let ins = [
                view(input(0, total), dense),
                view(input(1, d), [0, 0, 0, 1]),
                view(input(2, a * b * c), [b * c, c, 1, 0]),
                view(Span::new(Slot::Index(0), 0, total), dense),
                Arg::Coordinate { strides: [0, 0, 2, 5] },
            ];
            let second = offset + total.next_multiple_of(4) + 4;
            k.map(
                [work(offset, total), work(second, total)],
                grid,
                ins,
                [0.5, -2.0],
                |[a, b, c, d, e], [p, q]| {
                    let t = a * b + p * c;
                    [t + d, q * t - e]
                },
                &["let t0 = a0 * a1 + c0 * a2;", "t0 + a3", "c1 * t0 - a4"],
            );
            // In place, with a number for all.
            let ins = [view(work(offset, total), dense), view(input(1, d), [0; 4])];
            let text = &["a0 * a1"];
            k.map([work(offset, total)], grid, ins, [], |[a, b], []| [a * b], text);
        });
        close(&found.unwrap(), &expected.unwrap(), 1.0, 1e-6, &format!("map {grid:?} {offset}"));
    }
}

#[test]
fn random_numbers_of_four() {
    let Some(vulkan) = vulkan("random_numbers_of_four") else { return };
    for (samples, per_sample) in [(50, 2000), (1, 65_537), (70, 1001), (60, 2002)] {
        let total = samples * per_sample;
        let (found, expected) = on_both!(vulkan, total, vec![], &[], |k| {
            let uniform = Arg::Uniform { stream: 0xDEAD_BEEF, per_sample };
            let grid = [1, 1, samples, per_sample];
            k.map([work(0, total)], grid, [uniform], [], |[a], []| [a], &["a0"]);
        });
        assert!(found.unwrap() == expected.unwrap(), "{samples} of {per_sample}");
    }
}

#[test]
fn fills_of_four() {
    let Some(vulkan) = vulkan("fills_of_four") else { return };
    for (offset, len) in [(0, 100_000), (16, 65_537), (4, 65_539), (3, 100_000)] {
        let (found, expected) = on_both!(vulkan, 100_010, vec![], &[], |k| {
            k.fill(work(offset, len), -0.25);
        });
        assert!(found.unwrap() == expected.unwrap(), "{len} from {offset} on");
    }
}

/// More than every device starts groups at once.
#[test]
fn more_than_all_groups() {
    let Some(vulkan) = vulkan("more_than_all_groups") else { return };
    let total = 65_535 * 256 + 77;
    let x: Vec<f32> = (0..total).map(|i| (i % 1000) as f32).collect();
    let (found, expected) = on_both!(vulkan, total + 1, vec![&x], &[], |k| {
        // From a place on that is no multiple of four.
        let ins = [view(input(0, total), [0, 0, 0, 1])];
        k.map([work(1, total)], [1, 1, 1, total], ins, [], |[a], []| [a + 1.0], &["a0 + 1.0"]);
    });
    assert!(found.unwrap() == expected.unwrap());
}

#[test]
fn many_indices() {
    let Some(vulkan) = vulkan("many_indices") else { return };
    for (rows, cols, picks) in
        [(13, 7, 300), (1000, 33, 512), (3, 65, 1000), (5000, 4, 257), (2, 5000, 700), (7, 300, 17)]
    {
        let dy = numbers(picks * cols.max(rows), 1);
        // Some rows often, some never.
        let of_rows: Vec<u32> = (0..picks).map(|i| (i * i * 31 % rows) as u32).collect();
        let of_cols: Vec<u32> = (0..rows * picks).map(|i| (i * i * 31 % cols) as u32).collect();
        let indices = [&of_rows[..], &of_cols[..]].concat();
        let dims = IndexDims { rows, cols, picks };
        let mut all = vec![];
        for _ in 0..2 {
            let (found, expected) = on_both!(vulkan, 2 * rows * cols, vec![&dy], &indices, |k| {
                let index = |offset, len| Span::new(Slot::Index(0), offset, len);
                let table = rows * cols;
                let (dy, of_rows) = (input(0, picks * cols), index(0, picks));
                k.embedding_add(work(0, table), dy, of_rows, dims);
                let (dy, of_cols) = (input(0, picks * rows), index(picks, picks * rows));
                k.scatter_along(work(table, table), dy, of_cols, dims);
            });
            let found = found.unwrap();
            close(&found, &expected.unwrap(), 1.0, 1e-6, &format!("{dims:?}"));
            all.push(found);
        }
        assert!(all[0] == all[1], "{dims:?} differs the second time");
    }
}

/// What is wrong is said, and what is added up is nothing.
#[test]
fn a_wrong_index_among_many() {
    let Some(vulkan) = vulkan("a_wrong_index_among_many") else { return };
    let (rows, cols, picks) = (10, 4, 300);
    let dy = numbers(picks * cols, 1);
    let mut indices: Vec<u32> = (0..picks as u32).map(|i| i % rows as u32).collect();
    (indices[270], indices[290]) = (10, u32::MAX);
    for along in [false, true] {
        let dims = match along {
            true => IndexDims { rows: 1, cols: rows, picks },
            false => IndexDims { rows, cols, picks },
        };
        let (found, expected) = on_both!(vulkan, rows * cols, vec![&dy], &indices, |k| {
            let index = Span::new(Slot::Index(0), 0, picks);
            match along {
                true => k.scatter_along(work(0, rows), input(0, picks), index, dims),
                false => k.embedding_add(work(0, rows * cols), input(0, picks * cols), index, dims),
            }
        });
        assert_eq!(found.unwrap_err().to_string(), expected.unwrap_err().to_string());
    }
}
