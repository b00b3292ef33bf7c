//! Tensors and buffers larger than a binding or an allocation of a device: bit for bit what they are on one that takes
//! them whole. Limits are lowered, so that small tensors are large.

extern crate netform_core as netform;

mod common;

use common::{input, numbers, view, vulkan, work};
use netform_core::data::{InMemory, MiniBatch};
use netform_core::device::{
    Arg, Conv2dDims, Fold, IndexDims, Kernels, MatmulDims, Memory, Pool2dDims, Slot, Span,
};
use netform_core::dim::D;
use netform_core::loss::CrossEntropy;
use netform_core::network::Network;
use netform_core::optim::{Adam, AdamW};
use netform_core::random::Seed;
use netform_core::tensor::Tensor;
use netform_core::train::Trainer;
use netform_core::weights::Weights;
use netform_gpu::Vulkan;
use netform_macros::network;

/// The device as it is, and with low limits: without and with staging.
fn devices(test: &str, [buffer, allocation]: [u64; 2]) -> Option<(Vulkan, [Vulkan; 2])> {
    vulkan(test)?;
    let limited = [true, false].map(|maps| Vulkan::with_limits(buffer, allocation, maps).unwrap());
    Some((Vulkan::new().unwrap(), limited))
}

/// Runs calls on a device as it is and on limited ones: the same bits.
macro_rules! same_bits {
    ($devices:expr, $len:expr, $inputs:expr, $indices:expr, |$k:ident| $body:block) => {{
        let (whole, limited) = &$devices;
        let inputs: Vec<&[f32]> = $inputs;
        let expected = on!(whole, $len, &inputs, $indices, |$k| $body).unwrap();
        assert!(expected.iter().all(|x| *x != 1e30), "all of it is written");
        for vulkan in limited {
            let found = on!(vulkan, $len, &inputs, $indices, |$k| $body).unwrap();
            let wrong = found.iter().zip(&expected).position(|(x, y)| x.to_bits() != y.to_bits());
            assert_eq!(wrong, None, "of {} elements", expected.len());
        }
    }};
}

/// Bindings of 16384 elements, allocations of 32768.
const SMALL: [u64; 2] = [64 << 10, 128 << 10];

const DENSE: [usize; 4] = [0, 0, 0, 1];

#[test]
fn maps_fills_and_copies() {
    let Some(devices) = devices("maps_fills_and_copies", SMALL) else { return };
    // Four elements at once, with an end that is no multiple of four; one at a time.
    for total in [70_001, 40_003] {
        let (x, bias) = (numbers(total, 1), numbers(100, 2));
        let size = 5 * total + 80;
        same_bits!(devices, size, vec![&x, &bias], &[], |k| {
            k.fill(work(0, size), 0.5);
            let x = view(input(0, total), DENSE);
            let ins = [x, view(work(0, total), DENSE)];
            k.map(
                [work(0, total)],
                [1, 1, 1, total],
                ins,
                [2.0],
                |[a, b], [c]| [a * c + b],
                &["a0 * c0 + a1"],
            );
            // A mask is numbered by the place in the whole.
            let ins = [x, Arg::Uniform { stream: 7, per_sample: 1000 }];
            let second = total.next_multiple_of(4);
            k.map(
                [work(second, total)],
                [1, 1, 1, total],
                ins,
                [],
                |[a, b], []| [a - b],
                &["a0 - a1"],
            );
            let rows = total / 100;
            let ins = [view(input(0, rows * 100), [0, 0, 1, rows]), view(input(1, 100), DENSE)];
            let third = second + total + 3;
            k.map(
                [work(third, rows * 100)],
                [1, 1, rows, 100],
                ins,
                [],
                |[a, b], []| [a * b],
                &["a0 * a1"],
            );
            let strides = [0, 0, 100, -1];
            let out = work(third + total, rows * 100);
            k.copy(
                out,
                99,
                strides,
                [1, 1, rows, 100],
                view(work(third, rows * 100), [0, 0, 100, 1]),
            );
            k.fill(work(third + 2 * total, 20_000), -0.25);
        });
    }
}

#[test]
fn sums_and_rows() {
    let Some(devices) = devices("sums_and_rows", SMALL) else { return };
    let x = numbers(60_000, 1);
    same_bits!(devices, 60_000 + 300 + 200 + 1 + 60_000, vec![&x], &[], |k| {
        let grid = [1, 1, 300, 200];
        let x = view(input(0, 60_000), [0, 0, 200, 1]);
        k.map([work(0, 60_000)], grid, [x], [], |[a], []| [a + 1.0], &["a0 + 1.0"]);
        let y = view(work(0, 60_000), [0, 0, 200, 1]);
        for (place, reduced) in [
            (60_000, [true, true, false, true]),
            (60_300, [true, true, true, false]),
            (60_500, [true; 4]),
        ] {
            let len = if reduced == [true; 4] {
                1
            } else if reduced[3] {
                300
            } else {
                200
            };
            k.reduce(work(place, len), Fold::Sum, grid, reduced, [y], [], |[a], []| a, &["a0"]);
        }
        k.cumsum(work(60_501, 60_000), work(0, 60_000), [2, 30_000, 1], true);
    });
}

#[test]
fn products_and_convolutions() {
    let Some(devices) = devices("products_and_convolutions", SMALL) else { return };
    let (m, n, depth) = (150, 140, 130);
    let (a, b) = (numbers(m * depth, 1), numbers(n * depth, 2));
    for (transpose_a, transpose_b) in [(false, false), (true, true)] {
        let dims = MatmulDims {
            batch: 1,
            m,
            n,
            k: depth,
            transpose_a,
            transpose_b,
            stride_a: 0,
            stride_b: 0,
        };
        same_bits!(devices, m * n + 2 * n + 13_000, vec![&a, &b], &[], |k| {
            let out = work(13_000, m * n);
            k.fill(work(0, 13_000), 1.0);
            k.matmul(
                [out],
                input(0, m * depth),
                input(1, n * depth),
                dims,
                [],
                [2.0],
                |x, [], [c]| [x * c],
                &["x * c0"],
            );
            // Few rows.
            let dims = MatmulDims { m: 2, transpose_a: false, ..dims };
            k.matmul(
                [work(13_000 + m * n, 2 * n)],
                input(0, 2 * depth),
                input(1, n * depth),
                dims,
                [],
                [],
                |x, [], []| [x],
                &["x"],
            );
        });
    }
    let d = Conv2dDims {
        batch: 3,
        in_channels: 8,
        height: 30,
        width: 30,
        out_channels: 8,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    let planes = 3 * 8 * 900;
    let (x, w) = (numbers(planes, 3), numbers(8 * 8 * 9, 4));
    same_bits!(devices, 3 * planes + 576 + planes / 4, vec![&x, &w], &[], |k| {
        let [y, dx, dw, z, pooled] = [
            (0, planes),
            (planes, planes),
            (2 * planes, 576),
            (2 * planes + 576, planes),
            (3 * planes + 576, planes / 4),
        ]
        .map(|(offset, len)| work(offset, len));
        let (x, w) = (input(0, planes), input(1, 576));
        k.conv2d([y], x, w, d, [], [], |x, [], []| [x], &["x"]);
        k.conv2d_input(dx, y, w, d);
        k.conv2d_weight(dw, x, y, d);
        let pool = Pool2dDims {
            planes: 24,
            height: 30,
            width: 30,
            kernel: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
        };
        k.max_pool2d(pooled, y, pool);
        k.max_pool2d_scatter(z, y, pooled, pool);
    });
}

#[test]
fn tables_and_indices() {
    let Some(devices) = devices("tables_and_indices", SMALL) else { return };
    let (rows, cols, picks) = (2000, 40, 900);
    let (table, dy) = (numbers(rows * cols, 1), numbers(picks * cols, 2));
    let indices: Vec<u32> = (0..picks).map(|i| (i * i * 31 % rows) as u32).collect();
    let dims = IndexDims { rows, cols, picks };
    same_bits!(devices, picks * cols + 2 * rows * cols, vec![&table, &dy], &indices, |k| {
        let index = Span::new(Slot::Index(0), 0, picks);
        k.embedding(work(0, picks * cols), input(0, rows * cols), index, dims);
        k.embedding_add(work(picks * cols, rows * cols), work(0, picks * cols), index, dims);
        // One row of the table, by element.
        let along = IndexDims { rows: 1, cols: rows * cols, picks };
        let out = work(picks * cols + rows * cols, rows * cols);
        k.scatter_along(out, input(1, picks), index, along);
        k.gather_along(work(0, picks), input(0, rows * cols), index, along);
    });
}

network! {
    /// Words by a table that is larger than a binding.
    Words: (x: u32[6]) -> [9] {
        let emb = Embedding(500, features = 60);
        let hidden = Linear(70);
        let out = Linear(9);
        out(dropout(relu(hidden(emb(x).reshape([360]))), 0.2))
    }

    Points: [40] -> [3] { fc1: Linear(120), Relu, norm: BatchNorm1d, fc2: Linear(3) }
}

#[test]
fn training_with_large_parameters() {
    let Some((whole, limited)) = devices("training_with_large_parameters", [16 << 10, 40 << 10])
    else {
        return;
    };
    let train = |vulkan: &Vulkan| {
        let mut net = Words::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let words: Vec<u32> = (0..20 * 6).map(|i| i * i * 17 % 500).collect();
        let labels: Vec<u32> = (0..20).map(|i| i * 7 % 9).collect();
        let batch = MiniBatch::<(D<6>,), (), u32, u32, _> {
            inputs: Tensor::from_slice_on(vulkan.clone(), &words).unwrap(),
            targets: Tensor::from_slice_on(vulkan.clone(), &labels).unwrap(),
        };
        let mut step = net.train_step(CrossEntropy, AdamW::new(1e-2), 20).unwrap();
        let losses: Vec<f32> = (0..4).map(|_| step.run(&batch).unwrap()).collect();
        assert!(losses[3] < losses[0], "{losses:?}");
        drop(step);
        (losses, net.to_bytes().unwrap())
    };
    let expected = train(&whole);
    for vulkan in &limited {
        assert!(train(vulkan) == expected);
    }
}

#[test]
fn training_on_a_large_data_set() {
    let Some((whole, limited)) = devices("training_on_a_large_data_set", [16 << 10, 40 << 10])
    else {
        return;
    };
    let train = |vulkan: &Vulkan| {
        let inputs = numbers(400 * 40, 5);
        let labels = inputs.chunks(40).map(|x| u32::from(x[0] > 0.0) + u32::from(x[1] > 0.3));
        let data = InMemory::<(D<40>,)>::new(inputs.clone(), labels.collect()).unwrap();
        let mut net = Points::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).epochs(1).batch(100);
        let history = trainer.fit(&mut net, &data).unwrap();
        (history.epochs[0].train_loss, net.to_bytes().unwrap())
    };
    let expected = train(&whole);
    for vulkan in &limited {
        // 64000 bytes, in two allocations and four windows.
        assert!(vulkan.keeps(&[400 * 40 * 4, 400 * 4, 400 * 4]));
        assert!(train(vulkan) == expected);
    }
}

/// More windows than a kernel has bindings, where parts cannot be taken one after another.
#[test]
fn a_tensor_of_too_many_windows() {
    let Some(vulkan) = vulkan("a_tensor_of_too_many_windows") else { return };
    drop(vulkan);
    let limited = Vulkan::with_limits(1 << 10, 64 << 20, true).unwrap();
    let total = 300 * 256;
    let x = vec![1.0; total];
    let sum = on!(&limited, 1, [&x[..]], &[], |k| {
        let x = view(input(0, total), DENSE);
        k.reduce(work(0, 1), Fold::Sum, [1, 1, 1, total], [true; 4], [x], [], |[a], []| a, &["a0"]);
    });
    let error = sum.unwrap_err().to_string();
    for part in ["307200 bytes", "at most 1024", "a smaller batch"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_tensor_that_cannot_be_counted() {
    let Some(vulkan) = vulkan("a_tensor_that_cannot_be_counted") else { return };
    let none: [&[f32]; 0] = [];
    let filled = on!(&vulkan, 4, none, &[], |k| {
        k.fill(work(0, 1 << 33), 1.0);
    });
    let error = filled.unwrap_err().to_string();
    assert!(error.contains("8589934592") && error.contains("a smaller batch"), "{error}");
}

/// As much as kernels of lavapipe see at once, and more: without any other limits than its own.
#[test]
fn more_than_a_binding_spans() {
    let Some(vulkan) = vulkan("more_than_a_binding_spans") else { return };
    let info = vulkan.info().clone();
    if info.buffer_bytes > 1 << 28 {
        common::say(&format!(
            "SKIPPED (takes {} bytes): more_than_a_binding_spans",
            info.buffer_bytes
        ));
        return;
    }
    let (rows, cols) = (info.buffer_bytes as usize / 256 + 100, 64);
    let total = rows * cols;
    let indices = [0, rows as u32 - 1, rows as u32 / 2, rows as u32 - 101, rows as u32 - 99, 7];
    let dims = IndexDims { rows, cols, picks: indices.len() };
    let picked = indices.len() * cols;
    let found = on!(&vulkan, total + picked, Vec::<&[f32]>::new(), &indices, |k| {
        let row = Arg::Coordinate { strides: [0, 0, 1, 0] };
        k.map([work(0, total)], [1, 1, rows, cols], [row], [], |[a], []| [a], &["a0"]);
        let index = Span::new(Slot::Index(0), 0, indices.len());
        k.embedding(work(total, picked), work(0, total), index, dims);
    });
    let found = found.unwrap();
    for (i, row) in indices.iter().enumerate() {
        assert!(found[total + i * cols..][..cols].iter().all(|x| *x == *row as f32), "{row}");
        assert_eq!(found[*row as usize * cols..][..cols], found[total + i * cols..][..cols]);
    }
}
