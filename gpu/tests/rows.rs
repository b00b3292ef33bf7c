//! Programs over rows on Vulkan against the CPU: with subgroups where the device has them, and through shared memory.

mod common;

use common::{close, numbers, vulkan};
use netform_core::device::{Arg, Grid, Kernels, Row, RowProgram, RowStep, RowTo, Slot, Span};
use netform_gpu::Vulkan;

/// Softmax of x * scale + column, its entropy and two elements of it: three passes, a kept row, picked elements.
#[derive(Clone, Copy)]
struct Softmax;

impl RowProgram<f32, 1, 1> for Softmax {
    const WIDE: &'static [bool] = &[true, false, true, false];
    const KEPT: usize = 1;
    const NUMBERS: usize = 6;

    fn run<R: Row<f32>>(self, row: &mut R, [p0]: [R::Number; 1], [c0]: [f32; 1]) {
        let x = |[a0, a1]: [f32; 2]| a0 * c0 + a1;
        let [s0] = row.pass([0, 1], [], [RowTo::Max], |a, []| [x(a)]);
        let [_, s1, s2] =
            row.pass([0, 1], [s0], [RowTo::Keep(0), RowTo::Sum, RowTo::Max], |a, [s0]| {
                let e = (x(a) - s0).exp();
                [e, e, -e]
            });
        let s3 = row.pick(p0, [0, 3], [s2], |[a0, k0], [s2]| a0 * k0 + s2);
        let s4 = row.number([s0, s1, s3], |[s0, s1, s3]| s0 + s1.ln() - s3);
        row.put(1, s4);
        let [_, _, s5] =
            row.pass([3, 2], [s1], [RowTo::Out(0), RowTo::Out(2), RowTo::Sum], |[k0, i], [s1]| {
                [k0 / s1, k0 * i, k0 * k0.ln()]
            });
        row.put(3, s5);
    }
}

/// The program as text.
const STEPS: &[RowStep] = &[
    RowStep::Pass { ins: &[0, 1], to: &[RowTo::Max], names: &["s0"], text: &["a0 * c0 + a1"] },
    RowStep::Pass {
        ins: &[0, 1],
        to: &[RowTo::Keep(0), RowTo::Sum, RowTo::Max],
        names: &["", "s1", "s2"],
        text: &["let t0 = exp(a0 * c0 + a1 - s0);", "t0", "t0", "-t0"],
    },
    RowStep::Pick { name: "s3", index: "p0", ins: &[0, 3], text: &["a0 * a1 + s2"] },
    RowStep::Number { name: "s4", text: &["s0 + log(s1) - s3"] },
    RowStep::Put { out: 1, name: "s4" },
    RowStep::Pass {
        ins: &[3, 2],
        to: &[RowTo::Out(0), RowTo::Out(2), RowTo::Sum],
        names: &["", "", "s5"],
        text: &["a0 / s1", "a0 * a1", "a0 * log(a0)"],
    },
    RowStep::Put { out: 3, name: "s5" },
];

fn view(i: u8, len: usize, strides: Grid) -> Arg {
    Arg::View { span: Span::new(Slot::Input(i), 0, len), strides }
}

/// Runs the program twice on both devices: the CPU has the same numbers, and the second time the same bits come.
fn check(vulkan: &Vulkan, rows: [usize; 3], len: usize) {
    let [a, b, c] = rows;
    let (count, total) = (a * b * c, a * b * c * len);
    let labels: Vec<f32> = (0..count).map(|i| ((i * 7 + 3) % len.max(1)) as f32).collect();
    let (x, column) = (numbers(total, 1), numbers(len, 2));
    let size = 2 * (total + count);
    let mut all = vec![];
    for _ in 0..2 {
        let (found, expected) = on_both!(vulkan, size, vec![&x, &column, &labels], &[], |k| {
            let mut first = 0;
            let outs = [total, count, total, count].map(|len| {
                first += len;
                Span::new(Slot::Workspace, first - len, len)
            });
            let ins = [
                view(0, total, [b * c * len, c * len, len, 1]),
                view(1, len, [0, 0, 0, 1]),
                Arg::Coordinate { strides: [0, 0, 0, 1] },
            ];
            let params = [view(2, count, [b * c, c, 1, 0])];
            k.rows(outs, [a, b, c, len], 3, ins, params, [1.5], Softmax, STEPS);
        });
        let found = found.unwrap();
        close(&found, &expected.unwrap(), 1.0, 5e-6, &format!("{rows:?} rows of {len}"));
        all.push(found);
    }
    assert!(all[0] == all[1], "{rows:?} rows of {len} differ the second time");
}

const LENGTHS: [usize; 13] = [1, 3, 8, 31, 32, 33, 63, 64, 65, 300, 1000, 5000, 20_000];

#[test]
fn rows_of_many_sizes() {
    let Some(vulkan) = vulkan("rows_of_many_sizes") else { return };
    LENGTHS.iter().for_each(|&len| check(&vulkan, [1, 2, 7], len));
    check(&vulkan, [1, 1, 300], 10);
    check(&vulkan, [1, 1, 1], 100);
    check(&vulkan, [1, 0, 3], 10);
}

#[test]
fn rows_without_subgroups() {
    let Some(_) = vulkan("rows_without_subgroups") else { return };
    let vulkan = Vulkan::without_subgroups().unwrap();
    assert_eq!(vulkan.subgroup(), None);
    [1, 3, 33, 64, 1000].iter().for_each(|&len| check(&vulkan, [1, 2, 7], len));
}

/// So many that each has a subgroup, and no barrier.
#[test]
fn many_rows() {
    let Some(vulkan) = vulkan("many_rows") else { return };
    check(&vulkan, [1, 5, 1000], 65);
}

/// More than every device starts groups at once.
#[test]
fn very_many_rows() {
    let Some(vulkan) = vulkan("very_many_rows") else { return };
    let rows = 65_535 * 256 + 77;
    let x: Vec<f32> = (0..rows).map(|i| (i % 1000) as f32).collect();
    let (found, expected) = on_both!(vulkan, rows, vec![&x], &[], |k| {
        let out = Span::new(Slot::Workspace, 0, rows);
        let ins = [view(0, rows, [0, 0, 1, 1])];
        k.rows([out], [1, 1, rows, 1], 3, ins, [], [], Largest, LARGEST);
    });
    assert!(found.unwrap() == expected.unwrap());
}

/// The largest element of a row.
#[derive(Clone, Copy)]
struct Largest;

impl RowProgram<f32, 0, 0> for Largest {
    const WIDE: &'static [bool] = &[false];
    const KEPT: usize = 0;
    const NUMBERS: usize = 1;

    fn run<R: Row<f32>>(self, row: &mut R, []: [R::Number; 0], []: [f32; 0]) {
        let [s0] = row.pass([0], [], [RowTo::Max], |[a0], []| [a0]);
        row.put(0, s0);
    }
}

const LARGEST: &[RowStep] = &[
    RowStep::Pass { ins: &[0], to: &[RowTo::Max], names: &["s0"], text: &["a0"] },
    RowStep::Put { out: 0, name: "s0" },
];

/// Not-a-number wins, whatever its sign, and an infinity of either sign stays one.
#[test]
fn the_largest_of_what_is_not_finite() {
    let Some(subgroups) = vulkan("the_largest_of_what_is_not_finite") else { return };
    for vulkan in [subgroups, Vulkan::without_subgroups().unwrap()] {
        for len in [5, 8, 100, 1000] {
            let mut x = vec![-2.5_f32; 6 * len];
            x[1] = f32::NAN;
            x[len + 4] = -f32::NAN;
            x[2 * len + 3] = f32::INFINITY;
            x[3 * len..4 * len].fill(f32::NEG_INFINITY);
            x[4 * len + 2] = -1e-40;
            x[5 * len - 1] = -3e-7;
            x[5 * len + 4] = 0.0;
            let (found, expected) = on_both!(vulkan, 6, vec![&x], &[], |k| {
                let out = Span::new(Slot::Workspace, 0, 6);
                let ins = [view(0, 6 * len, [0, 0, len, 1])];
                k.rows([out], [1, 1, 6, len], 3, ins, [], [], Largest, LARGEST);
            });
            let (found, expected) = (found.unwrap(), expected.unwrap());
            assert!(found[0].is_nan() && found[1].is_nan(), "{found:?}");
            close(&found, &expected, 1.0, 1e-38, &format!("largest of {len}"));
        }
    }
}
