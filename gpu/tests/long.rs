//! Reductions and running sums of many lengths on Vulkan against the CPU, which sums in f64; the same bits each time.

mod common;

use common::{close, numbers, vulkan};
use netform_core::device::{Arg, Fold, Grid, Kernels, Slot, Span};
use netform_gpu::Vulkan;

fn input(len: usize) -> Span {
    Span::new(Slot::Input(0), 0, len)
}

fn work(offset: usize, len: usize) -> Span {
    Span::new(Slot::Workspace, offset, len)
}

/// A reduction of numbers whose places in memory are the grid's, or those of the grid with its last axes turned.
fn check(vulkan: &Vulkan, grid: Grid, reduced: [bool; 4], turned: bool) {
    let [a, b, c, d] = grid;
    let total = a * b * c * d;
    let out: usize = (0..4).filter(|i| !reduced[*i]).map(|i| grid[i]).product();
    let strides = if turned { [b * c * d, c * d, 1, c] } else { [b * c * d, c * d, d, 1] };
    let x = numbers(total, 1);
    let mut all = vec![];
    for _ in 0..2 {
        let (found, expected) = on_both!(vulkan, 2 * out, vec![&x], &[], |k| {
            for (i, fold) in [Fold::Sum, Fold::Max].into_iter().enumerate() {
                let ins = [Arg::View { span: input(total), strides }];
                let out = work(i * out, out);
                let f = |[a]: [f32; 1], [c]: [f32; 1]| a * c + 0.25;
                k.reduce(out, fold, grid, reduced, ins, [3.0], f, &["a0 * c0 + 0.25"]);
            }
        });
        let found = found.unwrap();
        let scale = total as f32 / out.max(1) as f32;
        let what = format!("{grid:?} {reduced:?}, turned: {turned}");
        close(&found, &expected.unwrap(), scale.sqrt().max(1.0), 2e-6, &what);
        all.push(found);
    }
    assert!(all[0] == all[1], "{grid:?} {reduced:?} differ the second time");
}

#[test]
fn reductions_of_all() {
    let Some(vulkan) = vulkan("reductions_of_all") else { return };
    for len in [1, 7, 31, 32, 33, 255, 256, 257, 4095, 8191, 8193, 65_537, 1_000_000] {
        check(&vulkan, [1, 1, 1, len], [true; 4], false);
    }
    check(&vulkan, [3, 5, 70, 100], [true; 4], false);
}

#[test]
fn reductions_of_outer_axes() {
    let Some(vulkan) = vulkan("reductions_of_outer_axes") else { return };
    for (rows, cols) in
        [(1, 5), (9, 1000), (33, 32), (100, 31), (4096, 65), (20_000, 3), (70, 5000), (30, 200_000)]
    {
        check(&vulkan, [1, 1, rows, cols], [true, true, true, false], false);
    }
    check(&vulkan, [200, 3, 40, 33], [true, false, true, false], false);
    // Elements of a result lie side by side, and of its neighbours apart.
    check(&vulkan, [1, 1, 1000, 65], [true, true, true, false], true);
}

#[test]
fn reductions_of_inner_axes() {
    let Some(vulkan) = vulkan("reductions_of_inner_axes") else { return };
    for (rows, cols) in [(5, 1), (1000, 9), (33, 33), (31, 1000), (7, 20_000), (5000, 70)] {
        check(&vulkan, [1, 1, rows, cols], [false, false, false, true], false);
    }
    // As for the statistics of a batch norm.
    check(&vulkan, [64, 3, 16, 33], [true, false, true, true], false);
    check(&vulkan, [1, 1, 65, 1000], [false, false, false, true], true);
}

#[test]
fn reductions_without_subgroups() {
    let Some(_) = vulkan("reductions_without_subgroups") else { return };
    let vulkan = Vulkan::without_subgroups().unwrap();
    check(&vulkan, [1, 1, 1, 100_000], [true; 4], false);
    check(&vulkan, [1, 1, 31, 1000], [false, false, false, true], false);
    check(&vulkan, [1, 1, 4096, 65], [true, true, true, false], false);
}

#[test]
fn running_sums_of_many_lengths() {
    let Some(vulkan) = vulkan("running_sums_of_many_lengths") else { return };
    for dims in [
        [1, 1, 1],
        [3, 32, 2],
        [2, 33, 1],
        [3, 255, 1],
        [2, 2049, 1],
        [2, 6145, 1],
        [1, 1_000_000, 1],
        [300, 5000, 1],
        [2, 100, 3],
        [2, 10_000, 3],
        [3, 4097, 40],
        [40_000, 40, 1],
    ] {
        let len = dims.iter().product();
        // Positive numbers, of which no sum is small; and such as cancel.
        let cancelling = numbers(len, 1);
        let positive: Vec<f32> = cancelling.iter().map(|x| x + 1.5).collect();
        for (x, scale) in [(positive, 1.0), (cancelling, (dims[1] as f32).sqrt())] {
            let mut all = vec![];
            for _ in 0..2 {
                let (found, expected) = on_both!(vulkan, 2 * len, vec![&x], &[], |k| {
                    k.cumsum(work(0, len), input(len), dims, false);
                    k.cumsum(work(len, len), input(len), dims, true);
                });
                let found = found.unwrap();
                close(&found, &expected.unwrap(), scale, 2e-6, &format!("sums of {dims:?}"));
                all.push(found);
            }
            assert!(all[0] == all[1], "sums of {dims:?} differ the second time");
        }
    }
}
