//! Products of matrices, with a fused epilogue.
//!
//! Two ways of our own: dot products for few samples where both matrices are stored along k (a layer's x and weight),
//! tiles elsewhere. They allocate nothing; matrixmultiply is left for processors whose vectors we have no kernels for,
//! where the product is large.

use super::InnerLoops;
use super::cut::{Block, for_each_block};
use super::inputs::Inputs;
use super::map::{finish, place_of_sums};
use super::method::Method;
use super::multiply::{Multiply, Room};
use super::packed::Matrix;
use crate::cpu::run::{CpuRun, disjoint, separate, sized};
use crate::cpu::scratch::{self, lines};
use crate::device::{Arg, MatmulDims, Span};
use crate::element::Float;

#[allow(clippy::too_many_arguments)]
pub(super) fn matmul<E: Float, const M: usize, const N: usize, const C: usize>(
    run: &CpuRun<'_, E>,
    outs: [Span; M],
    a: Span,
    b: Span,
    dims: MatmulDims,
    args: [Arg; N],
    consts: [E; C],
    epilogue: Option<impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync>,
) {
    let MatmulDims { batch, m, n, k, stride_a, stride_b, .. } = dims;
    if batch * m * n == 0 {
        return;
    }
    sized(a, (batch - 1) * stride_a + m * k);
    sized(b, (batch - 1) * stride_b + k * n);
    for out in outs {
        sized(out, batch * m * n);
        disjoint(out, a);
        disjoint(out, b);
    }
    separate(&outs);
    let inputs = Inputs::new(run, [1, batch, m, n], args, &outs);
    let (a, b, targets) = (run.read(a), run.read(b), outs.map(|out| run.write(out)));
    let place = place_of_sums(&outs, &args).map(|j| targets[j]);
    let method = Method::of::<E>(&dims);
    let left = |i: usize| {
        let a = a.get().cast_const().wrapping_add(i * stride_a);
        Matrix::new(a, dims.transpose_a, m, k)
    };
    let right = |i: usize| {
        let b = b.get().cast_const().wrapping_add(i * stride_b);
        Matrix::new(b, dims.transpose_b, k, n)
    };
    for_each_block(run.pool, &dims, method, [&left, &right], &|block, packed| {
        let Block { products, row, rows, col, cols } = block;
        let sums_len = if place.is_none() { rows * cols } else { 0 };
        let sizes = [rows, cols, k];
        let is_packed = packed.is_some();
        let needed = lines::<E>(sums_len) + Room::<E>::lines(method, sizes, is_packed);
        scratch::with(needed, |mut scratch| {
            let sums = scratch.take::<E>(sums_len).as_mut_ptr();
            let mut room = Room::new(method, sizes, is_packed, &mut scratch);
            for i in products {
                let (a, b) = (left(i).from(row, 0), right(i).from(0, col));
                let start = (i * m + row) * n + col;
                let (c, c_row) = match place {
                    None => (sums, cols),
                    Some(place) => (place.get().wrapping_add(start), n),
                };
                // SAFETY: the spans hold all elements that the sizes address, and the blocks of the
                // tasks do not overlap; `finish` gets the rows of this block.
                unsafe {
                    let room = &mut room;
                    E::Loops::multiply(Multiply { method, a, b, c, c_row, sizes, packed, room });
                    // Without inputs of an epilogue the sums have their place in the only output.
                    let Some(epilogue) = epilogue else { continue };
                    let (step, len) = if cols == n { (rows, rows * n) } else { (1, cols) };
                    for r in (0..rows).step_by(step) {
                        let (start, sums) = (start + r * n, c.add(r * c_row));
                        finish(sums, targets, start, start + len, &inputs, consts, epilogue);
                    }
                }
            }
        });
    });
}
