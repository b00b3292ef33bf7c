//! What a device is: memory for tensors, and the few kernels that printed code is made of.
//!
//! A kernel works on [`Span`]s, pieces of buffers bound to a run, not on slices: the plan fixes
//! their offsets at compile time, and a device that records commands never sees the memory itself.
//! A device knows no derivatives: those are kernels like any other, put together by `network!`.

mod indexed;
mod rows;
mod run;
mod watch;

use crate::element::Float;

pub use indexed::{Counted, Misindexed, Name};
pub use rows::{Row, RowProgram, RowStep, RowTo};
#[doc(hidden)]
pub use run::check_gather;
pub use run::{Access, Bindings, Counter, Device, MAX_BOUND, Memory, Run, VALUES};
#[doc(hidden)]
pub use watch::{Grade, Made, Watch};

/// The buffer of a run that a [`Span`] lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The parameters of the network.
    Params,
    /// Their gradients, at the same offsets.
    Grads,
    /// What a network carries from step to step and no gradient reaches (running statistics).
    State,
    /// Intermediate values, at the offsets that the plan fixed.
    Workspace,
    /// What the optimiser carries from step to step.
    Optimizer,
    /// A float input of the run.
    Input(u8),
    /// An integer input of the run: class labels, token ids.
    Index(u8),
    /// A float output of the run.
    Output(u8),
}

/// `len` elements of a bound buffer from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which buffer.
    pub slot: Slot,
    /// The first element.
    pub offset: usize,
    /// The number of elements.
    pub len: usize,
}

impl Span {
    /// `len` elements of `slot` from `offset` on.
    #[inline(always)]
    pub const fn new(slot: Slot, offset: usize, len: usize) -> Self {
        Span { slot, offset, len }
    }
}

/// The most axes of an index space of a kernel.
pub const GRID_RANK: usize = 4;

/// The index space of a kernel, outermost axis first; unused axes in front have size 1.
pub type Grid = [usize; GRID_RANK];

/// One input of a fused scalar expression, as a function of the position in the index space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arg {
    /// The element of a span at the sum of coordinate times stride. A stride of 0 broadcasts.
    View {
        /// Floats, or integers (slot [`Slot::Index`]), which arrive converted.
        span: Span,
        /// A stride, in elements, for each axis of the grid.
        strides: [usize; GRID_RANK],
    },
    /// The coordinate itself: the sum of coordinate times stride, as a float.
    Coordinate {
        /// A factor for each axis of the grid.
        strides: [usize; GRID_RANK],
    },
    /// A random number in [0, 1) that depends only on the run's seed and step, on `stream`, and on the
    /// sample and the element's position in it: the same on every device and in every pass.
    Uniform {
        /// The call's path: instance, call site, scan index.
        stream: u32,
        /// The number of elements of one sample: element `i` of the grid belongs to sample `i / per_sample`.
        per_sample: usize,
    },
}

/// The names under which a device without closures finds a fused expression: its text in WGSL, with
/// inputs `a0`, `a1`, .. and constants `c0`, `c1`, ..; one expression for each output.
pub type Text = &'static [&'static str];

/// How a reduction combines elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their sum, beginning with 0.
    Sum,
    /// Their maximum, beginning with minus infinity.
    Max,
}

/// The sizes of `out[i] = a[i] @ b[i]`, for `i` below `batch`; each matrix is stored row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatmulDims {
    /// The number of products.
    pub batch: usize,
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// The size that is summed over.
    pub k: usize,
    /// `a` is stored as `[k, m]` instead of `[m, k]`.
    pub transpose_a: bool,
    /// `b` is stored as `[n, k]` instead of `[k, n]`.
    pub transpose_b: bool,
    /// Elements from one `a` to the next; 0 where all products share one.
    pub stride_a: usize,
    /// Elements from one `b` to the next; 0 where all products share one.
    pub stride_b: usize,
}

/// The sizes of a two-dimensional convolution, PyTorch's names and layouts:
/// x `[batch, in_channels, height, width]`, w `[out_channels, in_channels / groups, kernel..]`,
/// y `[batch, out_channels, out_height, out_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dDims {
    /// Samples.
    pub batch: usize,
    /// Channels of x.
    pub in_channels: usize,
    /// Height of x.
    pub height: usize,
    /// Width of x.
    pub width: usize,
    /// Channels of y.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps along height and width.
    pub stride: [usize; 2],
    /// Zeros added on both sides along height and width.
    pub padding: [usize; 2],
    /// Distance of the kernel's points along height and width.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Conv2dDims {
    /// Height and width of y.
    #[inline]
    pub const fn out_size(&self) -> [usize; 2] {
        [
            window(self.height, self.kernel[0], self.stride[0], self.padding[0], self.dilation[0]),
            window(self.width, self.kernel[1], self.stride[1], self.padding[1], self.dilation[1]),
        ]
    }
}

/// The sizes of a two-dimensional pooling over x `[planes, height, width]`; `planes` is batch times channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dDims {
    /// Batch times channels.
    pub planes: usize,
    /// Height of x.
    pub height: usize,
    /// Width of x.
    pub width: usize,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps along height and width.
    pub stride: [usize; 2],
    /// Points added on both sides that no window takes a value from.
    pub padding: [usize; 2],
}

impl Pool2dDims {
    /// Height and width of the result.
    #[inline]
    pub const fn out_size(&self) -> [usize; 2] {
        [
            window(self.height, self.kernel[0], self.stride[0], self.padding[0], 1),
            window(self.width, self.kernel[1], self.stride[1], self.padding[1], 1),
        ]
    }
}

/// The sizes of the kernels that move elements by an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexDims {
    /// Rows of x or of the table.
    pub rows: usize,
    /// Elements of a row.
    pub cols: usize,
    /// Along rows: indices of each row. In a table: indices altogether.
    pub picks: usize,
}

/// How many windows fit an axis: `(size + 2 padding - dilation (kernel - 1) - 1) / stride + 1`,
/// 0 where none does.
#[inline]
pub const fn window(
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> usize {
    let reach = dilation.saturating_mul(kernel.saturating_sub(1)).saturating_add(1);
    let room = padding.saturating_mul(2).saturating_add(size);
    if stride == 0 || kernel == 0 || room < reach { 0 } else { (room - reach) / stride + 1 }
}

/// `over / by` in the sizes of a network; 0 where `by` is, which the network's checks report.
#[doc(hidden)]
pub const fn quotient(over: usize, by: usize) -> usize {
    match over.checked_div(by) {
        Some(quotient) => quotient,
        None => 0,
    }
}

/// The size, or the next larger multiple of 16: where buffers begin in the workspace.
#[doc(hidden)]
pub const fn aligned(size: usize) -> usize {
    size.div_ceil(16).saturating_mul(16)
}

/// The kernels of a device, called by printed code in the order of the plan. On a device that
/// executes at once a call computes; on one that records, it records.
///
/// Results are the same bits for any number of threads: work is cut by sizes, and sums have a fixed
/// order. An output may be the same span as an input where the grid and the input's strides visit
/// it in the same order; it must not overlap one otherwise.
pub trait Kernels<E: Float> {
    /// `outs[j][i] = f(ins[..][i], consts)[j]` for every position `i` of the grid. Outputs are stored
    /// in the grid's order, without gaps.
    fn map<const M: usize, const N: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        ins: [Arg; N],
        consts: [E; C],
        f: impl Fn([E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
        text: Text,
    );

    /// `out = fold of f(ins[..][i], consts)` over the axes of the grid for which `reduced` is set. The
    /// output has the remaining axes, in order, without gaps.
    #[allow(clippy::too_many_arguments)]
    fn reduce<const N: usize, const C: usize>(
        &mut self,
        out: Span,
        fold: Fold,
        grid: Grid,
        reduced: [bool; GRID_RANK],
        ins: [Arg; N],
        consts: [E; C],
        f: impl Fn([E; N], [E; C]) -> E + Copy + Send + Sync,
        text: Text,
    );

    /// Runs a program for every row of the grid: its first `lead` axes count the rows, the others the elements of
    /// a row. `ins` are on the grid; `params`, a number for each row, too, with strides of 0 along the row.
    /// Outputs are stored without gaps in the order of the grid or, of one number a row, of the rows. No
    /// output may overlap an input.
    #[allow(clippy::too_many_arguments)]
    fn rows<const M: usize, const N: usize, const P: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        lead: usize,
        ins: [Arg; N],
        params: [Arg; P],
        consts: [E; C],
        program: impl RowProgram<E, P, C>,
        text: &'static [RowStep],
    );

    /// `outs[j][i] = epilogue((a @ b)[i], ins[..][i], consts)[j]`; the grid of `ins` is `[1, batch, m, n]`. Where the
    /// epilogue is the sum itself, `text` is `["x"]`.
    #[allow(clippy::too_many_arguments)]
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
    );

    /// `ys[j][i] = epilogue((x conv w)[i], ins[..][i], consts)[j]`; the grid of `ins` is
    /// `[batch, out_channels, out_height, out_width]`.
    #[allow(clippy::too_many_arguments)]
    fn conv2d<const M: usize, const N: usize, const C: usize>(
        &mut self,
        ys: [Span; M],
        x: Span,
        w: Span,
        dims: Conv2dDims,
        ins: [Arg; N],
        consts: [E; C],
        epilogue: impl Fn(E, [E; N], [E; C]) -> [E; M] + Copy + Send + Sync,
        text: Text,
    );

    /// The gradient of a convolution with respect to its input: `dx` from `dy` and `w`.
    fn conv2d_input(&mut self, dx: Span, dy: Span, w: Span, dims: Conv2dDims);

    /// The gradient of a convolution with respect to its weight: `dw` from `x` and `dy`.
    fn conv2d_weight(&mut self, dw: Span, x: Span, dy: Span, dims: Conv2dDims);

    /// The maximum of each window.
    fn max_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims);

    /// Puts each `dy` where its window of `x` has its maximum, the first one in row order; adds where
    /// windows overlap; zero elsewhere. The gradient of [`Kernels::max_pool2d`].
    fn max_pool2d_scatter(&mut self, dx: Span, x: Span, dy: Span, dims: Pool2dDims);

    /// The mean of each window; points in the padding count as zeros, as in PyTorch with
    /// `count_include_pad`.
    fn avg_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims);

    /// Spreads each `dy` evenly over its window; adds where windows overlap; what goes to the padding is
    /// lost. The gradient of [`Kernels::avg_pool2d`].
    fn avg_pool2d_spread(&mut self, dx: Span, dy: Span, dims: Pool2dDims);

    /// Takes each `y` from `g` where the window of `x` has its maximum: the gradient of
    /// [`Kernels::max_pool2d_scatter`] with respect to `dy`.
    fn max_pool2d_gather(&mut self, y: Span, x: Span, g: Span, dims: Pool2dDims);

    /// `out[r] = x[r, index[r]]` for `rows` rows of `cols` elements. An index of `cols` or more makes
    /// [`Run::finish`] return an error.
    fn gather(&mut self, out: Span, x: Span, index: Span, rows: usize, cols: usize);

    /// `out[r, j] = x[r, index[r, j]]`: several elements of each row. An index of `cols` or more makes
    /// [`Run::finish`] return an error; so does one of floats that is no such integer.
    fn gather_along(&mut self, out: Span, x: Span, index: Span, dims: IndexDims);

    /// Adds each `dy[r, j]` to `out[r, index[r, j]]`, which begins as zero; in the order of `j`. The gradient
    /// of [`Kernels::gather_along`].
    fn scatter_along(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims);

    /// `out[i] = table[index[i]]`, rows of `cols` elements: `rows` rows of the table are taken `picks` times.
    /// Indices are checked as in [`Kernels::gather_along`].
    fn embedding(&mut self, out: Span, table: Span, index: Span, dims: IndexDims);

    /// Adds each row `dy[i]` to row `index[i]` of `out`, which begins as zero; in the order of `i`. The
    /// gradient of [`Kernels::embedding`].
    fn embedding_add(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims);

    /// Sums up to each element, itself included, along the middle axis of `[outer, len, inner]`; from
    /// the other end where `reverse`.
    fn cumsum(&mut self, out: Span, x: Span, dims: [usize; 3], reverse: bool);

    /// Sets every element to a value.
    fn fill(&mut self, out: Span, value: E);

    /// Writes the input at every position of the grid to element `offset` plus the sum of coordinate
    /// times stride of `out`, and leaves the other elements. No two positions may have the same place.
    fn copy(
        &mut self,
        out: Span,
        offset: usize,
        strides: [isize; GRID_RANK],
        grid: Grid,
        input: Arg,
    );

    /// Calls `kernels` where the first element of `value` is finite and nothing has been found wrong so far; or, with
    /// `finite` unset, only where that is not so. The kernels leave the value as it is. A device that records notes them,
    /// and decides while they run.
    fn only_if(&mut self, value: Span, finite: bool, kernels: impl FnOnce(&mut Self));
}
