//! Products and convolutions on Vulkan against the CPU: every way that sizes choose, at its edges.

mod common;

use common::{close, input, numbers, view, vulkan, work};
use netform_core::device::{Conv2dDims, Kernels, MatmulDims, Span};
use netform_gpu::Vulkan;

/// The sizes of a product, with which of its matrices are transposed.
fn dims([batch, m, n, k]: [usize; 4], transpose_a: bool, transpose_b: bool) -> MatmulDims {
    MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a: m * k, stride_b: k * n }
}

/// Compares a product with an epilogue. Its matrices begin at element `first` of their buffers. The epilogue's text is
/// the same for all sizes, so that many of them share a kernel.
fn check(vulkan: &Vulkan, dims: MatmulDims, first: usize) {
    let MatmulDims { batch, m, n, k: depth, stride_a, stride_b, .. } = dims;
    let len = |stride: usize, size: usize| first + stride * (batch - 1) + size;
    let a = numbers(len(stride_a, m * depth), 1);
    let b = numbers(len(stride_b, depth * n), 2);
    let bias = numbers(n, 3);
    let inputs: Vec<&[f32]> = vec![&a, &b, &bias];
    let total = batch * m * n;
    let (found, expected) = on_both!(vulkan, first + total, inputs, &[], |k| {
        let ins = [view(input(2, n), [0, 0, 0, 1])];
        let from = |i, len| Span { offset: first, len: len - first, ..input(i, len) };
        k.matmul(
            [work(first, total)],
            from(0, a.len()),
            from(1, b.len()),
            dims,
            ins,
            [2.0],
            |x, [a], [c]| [c * (x + a)],
            &["let t0 = x + a0;", "c0 * t0"],
        );
    });
    let scale = (depth as f32).sqrt().max(1.0);
    close(&found.unwrap(), &expected.unwrap(), scale, 3e-6, &format!("{dims:?} from {first}"));
}

const TRANSPOSED: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

#[test]
fn products() {
    let Some(vulkan) = vulkan("products") else { return };
    let sizes = [
        [1, 1, 1, 1],
        [1, 5, 7, 3],
        [1, 64, 10, 84],
        [3, 17, 33, 20],
        [1, 130, 70, 150],
        [2, 1, 200, 65],
        [1, 200, 1, 3],
        [1, 3, 4, 0],
        [1, 9, 8, 0],
    ];
    for size in sizes {
        for (transpose_a, transpose_b) in TRANSPOSED {
            let dims = dims(size, transpose_a, transpose_b);
            check(&vulkan, dims, 0);
            if dims.batch > 1 {
                check(&vulkan, MatmulDims { stride_b: 0, ..dims }, 0);
            }
        }
    }
}

/// One more, one less and just as many rows and columns as a tile has, whole vectors and none.
#[test]
fn products_at_the_edges_of_tiles() {
    let Some(vulkan) = vulkan("products_at_the_edges_of_tiles") else { return };
    let mut next = 0;
    for m in [1, 3, 7, 8, 9, 63, 64, 65, 127, 128, 129] {
        for n in [1, 3, 7, 8, 9, 63, 64, 65, 127, 128, 129] {
            // All depths with all ways to lie in memory, but not with all sizes.
            let depth = [4, 15, 16, 17, 32, 100][next % 6];
            let (transpose_a, transpose_b) = TRANSPOSED[next / 2 % 4];
            check(&vulkan, dims([1, m, n, depth], transpose_a, transpose_b), [0, 4, 1][next % 3]);
            next += 1;
        }
    }
}

#[test]
fn products_of_batches() {
    let Some(vulkan) = vulkan("products_of_batches") else { return };
    for (i, (transpose_a, transpose_b)) in TRANSPOSED.into_iter().enumerate() {
        for [m, n, k] in [[32, 48, 16], [33, 47, 17], [2, 40, 64], [70, 3, 20]] {
            let dims = dims([5, m, n, k], transpose_a, transpose_b);
            check(&vulkan, dims, [0, 3][i % 2]);
            check(&vulkan, MatmulDims { stride_a: 0, ..dims }, 8);
            check(&vulkan, MatmulDims { stride_b: dims.stride_b + 1, ..dims }, 0);
        }
    }
}

/// The largest tiles, which only many columns and rows are worth.
#[test]
fn products_of_large_matrices() {
    let Some(vulkan) = vulkan("products_of_large_matrices") else { return };
    check(&vulkan, dims([1, 1024, 1024, 24], false, true), 0);
    check(&vulkan, dims([1, 1921, 2047, 21], true, false), 2);
}

/// Tiles of few rows or columns, whose threads load several blocks.
#[test]
fn products_of_long_matrices() {
    let Some(vulkan) = vulkan("products_of_long_matrices") else { return };
    for (few, many) in [(7, 10_001), (15, 10_001), (30, 65_536)] {
        for (i, depth) in [40, 33].into_iter().enumerate() {
            check(&vulkan, dims([1, few, many, depth], i == 0, i == 1), 0);
            check(&vulkan, dims([1, many, few, depth], i == 1, i == 0), 4);
        }
    }
}

/// Small results of long sums, which are cut: the same bits each time.
#[test]
fn products_in_parts() {
    let Some(vulkan) = vulkan("products_in_parts") else { return };
    for (i, [m, n, k]) in
        [[1, 1, 5000], [6, 25, 9216], [3, 17, 8191], [40, 40, 6001], [20, 2, 20_000]]
            .into_iter()
            .enumerate()
    {
        let (transpose_a, transpose_b) = TRANSPOSED[i % 4];
        check(&vulkan, dims([1, m, n, k], transpose_a, transpose_b), i % 2 * 4);
        check(&vulkan, dims([2, m, n, k], !transpose_a, transpose_b), 0);
    }
    let (a, b) = (numbers(6 * 9216, 1), numbers(25 * 9216, 2));
    let dims = dims([1, 6, 25, 9216], false, true);
    let mut bits = vec![];
    for _ in 0..20 {
        let (found, _) = on_both!(vulkan, 300, vec![&a, &b], &[], |k| {
            let [a, b] = [input(0, a.len()), input(1, b.len())];
            // The second one uses what the first one has left.
            for first in [0, 150] {
                let out = [work(first, 150)];
                k.matmul(out, a, b, dims, [], [], |x, [], []| [x], &["x"]);
            }
        });
        let found = found.unwrap();
        assert_eq!(found[..150], found[150..]);
        bits.push(found);
    }
    assert!(bits.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Epilogues with several results; an input is one of the outputs.
#[test]
fn products_of_several_outputs() {
    let Some(vulkan) = vulkan("products_of_several_outputs") else { return };
    for (batch, m, n, k_size) in [(1, 5, 7, 3), (2, 33, 20, 17), (1, 1, 130, 40), (1, 70, 65, 600)]
    {
        let total = batch * m * n;
        let dims = MatmulDims {
            batch,
            m,
            n,
            k: k_size,
            transpose_a: false,
            transpose_b: true,
            stride_a: m * k_size,
            stride_b: 0,
        };
        let (a, b) = (numbers(batch * m * k_size, 1), numbers(n * k_size, 2));
        let (bias, rest) = (numbers(n, 3), numbers(total, 4));
        let inputs: Vec<&[f32]> = vec![&a, &b, &bias, &rest];
        let dense = [0, m * n, n, 1];
        let (found, expected) = on_both!(vulkan, 3 * total, inputs, &[], |k| {
            let bias = view(input(2, n), [0, 0, 0, 1]);
            let [a, b] = [input(0, a.len()), input(1, b.len())];
            let outs = [work(0, total), work(total, total), work(2 * total, total)];
            let rest = view(input(3, total), dense);
            k.map([outs[1]], [1, batch, m, n], [rest], [], |[a], []| [a], &["a0"]);
            k.matmul(
                outs,
                a,
                b,
                dims,
                [bias, view(outs[1], dense)],
                [2.0],
                |x, [a, b], [c]| {
                    let t = x + a;
                    [t, c * t + b, t - b]
                },
                &["let t0 = x + a0;", "t0", "c0 * t0 + a1", "t0 - a1"],
            );
            k.matmul(
                [outs[2], outs[0]],
                a,
                b,
                dims,
                [view(outs[0], dense)],
                [],
                |x, [a], []| [x * a, x - a],
                &["x * a0", "x - a0"],
            );
        });
        // Of a product of two sums.
        close(&found.unwrap(), &expected.unwrap(), k_size as f32, 4e-6, &format!("{dims:?}"));
    }
}

/// More tiles than there are groups on every device: groups take several.
#[test]
#[ignore = "takes 20 s on lavapipe; a test of matmul counts the groups"]
fn a_product_of_very_many_columns() {
    let Some(vulkan) = vulkan("a_product_of_very_many_columns") else { return };
    let n = 64 * 65_536 + 5;
    let dims = MatmulDims {
        batch: 1,
        m: 1,
        n,
        k: 1,
        transpose_a: false,
        transpose_b: false,
        stride_a: 1,
        stride_b: n,
    };
    let (a, b) = ([2.0], numbers(n, 2));
    let (found, expected) = on_both!(vulkan, n, vec![&a, &b], &[], |k| {
        let text = &["x"];
        k.matmul([work(0, n)], input(0, 1), input(1, n), dims, [], [], |x, [], []| [x], text);
    });
    close(&found.unwrap(), &expected.unwrap(), 1.0, 0.0, "products");
}

fn conv(
    batch: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
) -> Conv2dDims {
    Conv2dDims {
        batch,
        in_channels: 4,
        height: 9,
        width: 8,
        out_channels: 6,
        kernel,
        stride,
        padding,
        dilation,
        groups,
    }
}

/// Compares a convolution and its gradients. Tensors begin at element `first` of their buffers.
fn check_conv(vulkan: &Vulkan, d: Conv2dDims, first: usize) {
    let [oh, ow] = d.out_size();
    let taps = d.kernel[0] * d.kernel[1];
    let xs = d.batch * d.in_channels * d.height * d.width;
    let ws = d.out_channels * (d.in_channels / d.groups) * taps;
    let ys = d.batch * d.out_channels * oh * ow;
    let [x, w, dy] = [(xs, 1), (ws, 2), (ys, 3)].map(|(len, i)| numbers(first + len, i));
    let bias = numbers(d.out_channels, 4);
    let inputs: Vec<&[f32]> = vec![&x, &w, &dy, &bias];
    let (found, expected) = on_both!(vulkan, xs + ws + ys, inputs, &[], |k| {
        let ins = [view(input(3, d.out_channels), [0, 1, 0, 0])];
        let from = |i, len| Span { offset: first, ..input(i, len) };
        let [x, w, dy] = [from(0, xs), from(1, ws), from(2, ys)];
        k.conv2d([work(0, ys)], x, w, d, ins, [], |x, [b], []| [x + b], &["x + a0"]);
        k.conv2d_input(work(ys, xs), dy, w, d);
        k.conv2d_weight(work(ys + xs, ws), x, dy, d);
    });
    let (found, expected) = (found.unwrap(), expected.unwrap());
    let parts = [
        ("y", 0..ys, d.in_channels / d.groups * taps),
        ("dx", ys..ys + xs, d.out_channels / d.groups * taps),
        ("dw", ys + xs..ys + xs + ws, d.batch * oh * ow),
    ];
    for (name, range, depth) in parts {
        let scale = (depth as f32).sqrt().max(1.0);
        let what = format!("{name} of {d:?} from {first}");
        close(&found[range.clone()], &expected[range], scale, 3e-6, &what);
    }
}

#[test]
fn convolutions() {
    let Some(vulkan) = vulkan("convolutions") else { return };
    let cases = [
        conv(2, [3, 3], [1, 1], [0, 0], [1, 1], 1),
        conv(2, [3, 3], [1, 1], [1, 1], [1, 1], 2),
        conv(3, [3, 2], [2, 1], [1, 0], [1, 1], 1),
        conv(1, [3, 3], [2, 3], [2, 1], [2, 2], 2),
        conv(2, [1, 1], [1, 1], [0, 0], [1, 1], 1),
        conv(2, [1, 1], [2, 2], [0, 0], [1, 1], 2),
        conv(1, [9, 8], [1, 1], [0, 0], [1, 1], 1),
        conv(3, [5, 5], [1, 1], [2, 2], [1, 1], 1),
        // One channel in, two out, in each group.
        Conv2dDims { out_channels: 8, ..conv(2, [3, 3], [1, 1], [1, 1], [1, 1], 4) },
        // As many samples as make the last gradient one of parts.
        conv(130, [3, 3], [1, 1], [1, 1], [1, 1], 1),
        // Planes of a size that no vectors fit, and one without a kernel's worth of padding.
        Conv2dDims { width: 7, ..conv(3, [1, 1], [1, 1], [0, 0], [1, 1], 1) },
        Conv2dDims {
            in_channels: 20,
            out_channels: 36,
            height: 14,
            width: 14,
            ..conv(3, [3, 3], [1, 1], [1, 1], [1, 1], 1)
        },
        Conv2dDims {
            in_channels: 1,
            height: 28,
            width: 28,
            ..conv(4, [5, 5], [1, 1], [2, 2], [1, 1], 1)
        },
    ];
    for (i, d) in cases.into_iter().enumerate() {
        check_conv(&vulkan, d, [0, 3, 4][i % 3]);
    }
}

/// Epilogues with several results; an input is one of the outputs.
#[test]
fn convolutions_of_several_outputs() {
    let Some(vulkan) = vulkan("convolutions_of_several_outputs") else { return };
    let d = conv(2, [3, 3], [1, 1], [1, 1], [1, 1], 2);
    let (x, w) = (numbers(2 * 4 * 72, 1), numbers(6 * 2 * 9, 2));
    let (bias, rest) = (numbers(6, 3), numbers(2 * 6 * 72, 4));
    let (xs, ws, ys) = (x.len(), w.len(), rest.len());
    let dense = [6 * 72, 72, 8, 1];
    let (found, expected) = on_both!(vulkan, 3 * ys, vec![&x, &w, &bias, &rest], &[], |k| {
        let bias = view(input(2, 6), [0, 1, 0, 0]);
        let outs = [work(0, ys), work(ys, ys), work(2 * ys, ys)];
        let (x, w, rest) = (input(0, xs), input(1, ws), view(input(3, ys), dense));
        k.map([outs[2]], [2, 6, 9, 8], [rest], [], |[a], []| [a], &["a0"]);
        k.conv2d(
            outs,
            x,
            w,
            d,
            [bias, view(outs[2], dense)],
            [0.5],
            |x, [a, b], [c]| {
                let t = x + a;
                [t * b, c * t, t + b]
            },
            &["let t0 = x + a0;", "t0 * a1", "c0 * t0", "t0 + a1"],
        );
        let two = [outs[1], outs[0]];
        let old = view(outs[1], dense);
        k.conv2d(two, x, w, d, [old], [], |x, [a], []| [x - a, x * a], &["x - a0", "x * a0"]);
    });
    close(&found.unwrap(), &expected.unwrap(), 5.0, 2e-6, &format!("{d:?}"));
}
