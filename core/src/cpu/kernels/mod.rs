//! The kernels of the CPU, and the work that is worth a second thread.

mod channels;
mod conv;
mod conv_grad;
mod correlation;
mod cut;
mod dot;
mod fold;
mod frame;
mod gather;
mod halving;
mod image_rows;
mod inputs;
mod loops;
mod map;
mod matmul;
mod method;
mod movement;
mod multiply;
mod pack;
mod packed;
mod pool;
mod reduce;
mod rows;
#[cfg(target_arch = "x86_64")]
mod thirds;
mod tile;

use super::run::{CpuRun, bounded, broken};
use crate::device::{
    Arg, Conv2dDims, Fold, GRID_RANK, Grid, IndexDims, Kernels, MatmulDims, Pool2dDims, RowProgram,
    RowStep, Span, Text,
};
use crate::element::Float;

pub(crate) use loops::{InnerLoops, Loops};
pub(super) use multiply::gemm_calls;

/// Elements of a cheap elementwise pass that are worth a task of their own: about 10 microseconds.
/// What has fewer than twice as many stays on the caller's thread.
const TASK_ELEMENTS: usize = 1 << 15;

/// Multiply-adds of a product that are worth a task of their own: about 10 microseconds.
const TASK_PRODUCTS: usize = 1 << 19;

/// Units to put into one task, where `units` of them have the given work altogether: by sizes only, so
/// that the cut never depends on the number of threads.
fn units_per_task(units: usize, work: usize, task_work: usize) -> usize {
    let tasks = (work / task_work).clamp(1, units.max(1));
    units.div_ceil(tasks).max(1)
}

impl<E: Float> Kernels<E> for CpuRun<'_, E> {
    #[inline]
    fn map<const M: usize, const N: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        ins: [Arg; N],
        consts: [E; C],
        f: impl Fn([E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
        _text: Text,
    ) {
        outs.iter().for_each(|out| bounded(*out, &grid));
        map::map(self, outs, grid, ins, consts, f);
        self.made(&outs, false);
    }

    #[inline]
    fn reduce<const N: usize, const C: usize>(
        &mut self,
        out: Span,
        fold: Fold,
        grid: Grid,
        reduced: [bool; GRID_RANK],
        ins: [Arg; N],
        consts: [E; C],
        f: impl Fn([E; N], [E; C]) -> E + Copy + Send + Sync,
        _text: Text,
    ) {
        bounded(out, &grid);
        reduce::reduce(self, out, fold, grid, reduced, ins, consts, f);
        self.made(&[out], false);
    }

    #[inline]
    fn rows<const M: usize, const N: usize, const P: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        lead: usize,
        ins: [Arg; N],
        params: [Arg; P],
        consts: [E; C],
        program: impl RowProgram<E, P, C>,
        _text: &'static [RowStep],
    ) {
        outs.iter().for_each(|out| bounded(*out, &grid));
        rows::rows(self, outs, grid, lead, ins, params, consts, program);
        self.made(&outs, false);
    }

    #[inline]
    fn matmul<const M: usize, const N: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        a: Span,
        b: Span,
        dims: MatmulDims,
        ins: [Arg; N],
        consts: [E; C],
        epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
        text: Text,
    ) {
        let MatmulDims { batch, m, n, k, stride_a, stride_b, .. } = dims;
        outs.iter().for_each(|out| bounded(*out, &[batch, m, n, k]));
        bounded(a, &[batch, stride_a]);
        bounded(b, &[batch, stride_b]);
        // What is printed of the sum itself, which needs no second pass.
        let is_sum = M == 1 && N == 0 && C == 0 && text == ["x"];
        matmul::matmul(self, outs, a, b, dims, ins, consts, (!is_sum).then_some(epilogue));
        self.made(&outs, false);
    }

    #[inline]
    fn conv2d<const M: usize, const N: usize, const C: usize>(
        &mut self,
        ys: [Span; M],
        x: Span,
        w: Span,
        dims: Conv2dDims,
        ins: [Arg; N],
        consts: [E; C],
        epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
        _text: Text,
    ) {
        ys.iter().for_each(|y| bounded_conv(*y, &dims));
        conv::conv2d(self, ys, x, w, dims, ins, consts, epilogue);
        self.made(&ys, false);
    }

    fn conv2d_input(&mut self, dx: Span, dy: Span, w: Span, dims: Conv2dDims) {
        bounded_conv(dx, &dims);
        conv_grad::input(self, dx, dy, w, dims);
        self.made(&[dx], false);
    }

    fn conv2d_weight(&mut self, dw: Span, x: Span, dy: Span, dims: Conv2dDims) {
        bounded_conv(dw, &dims);
        conv_grad::weight(self, dw, x, dy, dims);
        self.made(&[dw], false);
    }

    fn max_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims) {
        bounded_pool(y, &dims);
        pool::max_pool2d(self, y, x, dims);
        self.made(&[y], false);
    }

    fn max_pool2d_scatter(&mut self, dx: Span, x: Span, dy: Span, dims: Pool2dDims) {
        bounded_pool(dx, &dims);
        pool::scatter(self, dx, x, dy, dims);
        self.made(&[dx], false);
    }

    fn avg_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims) {
        bounded_pool(y, &dims);
        pool::avg_pool2d(self, y, x, dims);
        self.made(&[y], false);
    }

    fn avg_pool2d_spread(&mut self, dx: Span, dy: Span, dims: Pool2dDims) {
        bounded_pool(dx, &dims);
        pool::spread(self, dx, dy, dims);
        self.made(&[dx], false);
    }

    fn max_pool2d_gather(&mut self, y: Span, x: Span, g: Span, dims: Pool2dDims) {
        bounded_pool(y, &dims);
        pool::gather(self, y, x, g, dims);
        self.made(&[y], false);
    }

    fn gather(&mut self, out: Span, x: Span, index: Span, rows: usize, cols: usize) {
        bounded(x, &[rows, cols]);
        gather::gather(self, out, x, index, rows, cols);
        self.made(&[out], false);
    }

    fn gather_along(&mut self, out: Span, x: Span, index: Span, dims: IndexDims) {
        bounded_index(out, &dims);
        gather::gather_along(self, out, x, index, dims);
        self.made(&[out], false);
    }

    fn scatter_along(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims) {
        bounded_index(out, &dims);
        gather::scatter_along(self, out, dy, index, dims);
        self.made(&[out], false);
    }

    fn embedding(&mut self, out: Span, table: Span, index: Span, dims: IndexDims) {
        bounded_index(out, &dims);
        gather::embedding(self, out, table, index, dims);
        self.made(&[out], false);
    }

    fn embedding_add(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims) {
        bounded_index(out, &dims);
        gather::embedding_add(self, out, dy, index, dims);
        self.made(&[out], false);
    }

    fn cumsum(&mut self, out: Span, x: Span, dims: [usize; 3], reverse: bool) {
        bounded(out, &dims);
        movement::cumsum(self, out, x, dims, reverse);
        self.made(&[out], false);
    }

    fn fill(&mut self, out: Span, value: E) {
        movement::fill(self, out, value);
        self.made(&[out], true);
    }

    fn copy(
        &mut self,
        out: Span,
        offset: usize,
        strides: [isize; GRID_RANK],
        grid: Grid,
        input: Arg,
    ) {
        bounded(out, &grid);
        movement::copy(self, out, offset, strides, grid, input);
        self.made(&[out], true);
    }

    fn only_if(&mut self, value: Span, finite: bool, kernels: impl FnOnce(&mut Self)) {
        if (self.fault.is_none() && self.first(value).is_finite()) == finite {
            kernels(self);
        }
    }
}

/// [`bounded`] for a convolution, whose groups must also divide the channels.
fn bounded_conv(span: Span, d: &Conv2dDims) {
    let padded = |axis: usize, size: usize| size.saturating_add(d.padding[axis].saturating_mul(2));
    bounded(span, &[d.batch, d.in_channels, padded(0, d.height), padded(1, d.width)]);
    bounded(span, &[d.batch, d.out_channels, padded(0, d.height), padded(1, d.width)]);
    let [kh, kw] = d.kernel;
    bounded(span, &[d.out_channels, d.in_channels, kh, kw]);
    bounded(span, &[kh, d.dilation[0]]);
    bounded(span, &[kw, d.dilation[1]]);
    let groups = d.groups.max(1);
    if !d.in_channels.is_multiple_of(groups) || !d.out_channels.is_multiple_of(groups) {
        broken(span, "groups that do not divide the channels");
    }
}

/// [`bounded`] for kernels with an index.
fn bounded_index(span: Span, d: &IndexDims) {
    let longest = d.rows.saturating_add(d.picks);
    bounded(span, &[longest, d.cols]);
    bounded(span, &[d.rows, d.picks]);
}

/// [`bounded`] for a pooling.
fn bounded_pool(span: Span, d: &Pool2dDims) {
    let padded = |axis: usize, size: usize| size.saturating_add(d.padding[axis].saturating_mul(2));
    bounded(span, &[d.planes, padded(0, d.height), padded(1, d.width)]);
    bounded(span, &d.kernel);
}
