//! Products whose sizes lie on both sides of what kernels cut by: vectors, tiles, panels, blocks and tasks.

use super::{close, cpus, input, numbers, out, run, view};
use crate::cpu::Cpu;
use crate::cpu::naive::{self, dense};
use crate::device::{Kernels, MatmulDims};
use crate::element::Float;

/// The twin's sums are computed once, and compared in both element types, with all instructions and with every
/// transposition; the right matrix is shared by the batch.
fn check(cpus: &[Cpu], batch: usize, [m, n, k]: [usize; 3]) {
    let (a, b) = (numbers(batch * m * k, 1), numbers(n * k, 2));
    let (bias, scale) = (numbers(n, 3), numbers(batch * m * n, 4));
    let plain = MatmulDims {
        batch,
        m,
        n,
        k,
        transpose_a: false,
        transpose_b: false,
        stride_a: m * k,
        stride_b: 0,
    };
    let sums = naive::matmul(&a, &b, &plain);
    let expected: Vec<f64> =
        sums.iter().enumerate().map(|(i, sum)| sum * scale[i] + bias[i % n]).collect();
    let transposed_a: Vec<f64> = a.chunks(m * k).flat_map(|a| transposed(a, m, k)).collect();
    let transposed_b = transposed(&b, k, n);
    for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false), (true, true)] {
        let dims = MatmulDims { transpose_a, transpose_b, ..plain };
        let a = if transpose_a { &transposed_a } else { &a };
        let b = if transpose_b { &transposed_b } else { &b };
        let inputs: [&[f64]; 4] = [a, b, &bias, &scale];
        both!(check_fused, cpus, dims, inputs, &expected);
    }
}

/// The product times an input of its own shape plus one of its rows.
fn check_fused<E: Float>(cpus: &[Cpu], dims: MatmulDims, inputs: [&[f64]; 4], expected: &[f64]) {
    let MatmulDims { batch, m, n, k, .. } = dims;
    let spans: [_; 4] = std::array::from_fn(|i| input(i as u8, inputs[i].len()));
    let args = [view(spans[2], [0, 0, 0, 1]), view(spans[3], dense([1, batch, m, n]))];
    let found = run::<E>(cpus, expected.len(), &inputs, |run| {
        let outs = [out(expected.len())];
        run.matmul(
            outs,
            spans[0],
            spans[1],
            dims,
            args,
            [],
            |x, [b, s], []| [x * s + b],
            &["x * a1 + a0"],
        );
    });
    close::<E>(&found, expected, (k as f64).sqrt() + 1.0, &format!("{dims:?}"));
}

/// A matrix of `rows` times `cols` elements, column by column.
fn transposed(matrix: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    (0..cols).flat_map(|j| (0..rows).map(move |i| matrix[i * cols + j])).collect()
}

#[test]
fn small_products_of_all_sizes() {
    let cpus = cpus();
    let sizes = [1, 7, 8, 9, 31, 33, 65];
    for m in sizes {
        for n in sizes {
            for k in sizes {
                check(&cpus, 1, [m, n, k]);
            }
        }
    }
}

#[test]
fn products_beyond_the_sizes_of_blocks() {
    let cpus = cpus();
    for sizes in [
        [1, 1025, 513],
        [1025, 1, 300],
        [513, 300, 1],
        [9, 129, 1025],
        [1025, 33, 65],
        [129, 1025, 7],
        [65, 513, 129],
        [300, 31, 257],
        [257, 257, 33],
        [31, 65, 1025],
        [513, 8, 513],
        [129, 300, 129],
        [529, 129, 513],
    ] {
        check(&cpus, 1, sizes);
    }
}

#[test]
fn products_of_a_batch_with_one_matrix() {
    let cpus = cpus();
    for (batch, sizes) in [
        (2, [1, 1, 1]),
        (3, [7, 31, 65]),
        (2, [129, 33, 257]),
        (3, [31, 129, 513]),
        (65, [9, 8, 33]),
        (2, [300, 129, 31]),
        (2, [530, 257, 65]),
    ] {
        check(&cpus, batch, sizes);
    }
}
