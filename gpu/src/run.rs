//! A pass on a Vulkan device: calls of kernels are noted, and run when the pass ends.

use netform_core::device::{
    Arg, Conv2dDims, Counted, Counter, Fold, GRID_RANK, Grade, Grid, IndexDims, Kernels,
    MatmulDims, Misindexed, Name, Pool2dDims, RowProgram, RowStep, Slot, Span, Text, Watch,
};
use netform_core::error::Error;

use crate::bound::Buffers;
use crate::context::{Context, lock};
use crate::repeat::Comparison;
use crate::tape::{
    Call, Condition, Expression, Indexing, Marks, Piece, Pooling, RowsCall, Static, Tape,
};

/// A pass of kernels on a Vulkan device. They run when it ends:
/// [`Run::finish`](netform_core::device::Run::finish).
pub struct VulkanRun<'a> {
    pub(crate) context: &'a Context,
    pub(crate) buffers: Buffers<'a>,
    pub(crate) counter: Counter,
    pub(crate) tape: Tape,
    pub(crate) fault: Option<Error>,
    /// Whether the calls depend on a condition.
    pub(crate) conditional: bool,
    /// The names of what spans hold, for errors.
    pub(crate) name: Name,
    /// Where what each kernel makes is looked at.
    pub(crate) watch: Option<Watch<'a>>,
    /// The calls whose numbers change where the pass is repeated: from where to where they are.
    pub(crate) changing: Option<[Marks; 2]>,
    /// Where the pass is repeated, these calls, which all calls are compared with. Nothing is noted then.
    pub(crate) again: Option<Comparison<'a>>,
}

impl<'a> VulkanRun<'a> {
    pub(crate) fn new(context: &'a Context, buffers: Buffers<'a>, counter: Counter) -> Self {
        let tape = lock(&context.tapes).pop().unwrap_or_default();
        VulkanRun { buffers, counter, tape, ..Self::empty(context) }
    }

    /// A run of those calls that change where a pass is repeated.
    pub(crate) fn again(context: &'a Context, known: Comparison<'a>) -> Self {
        VulkanRun { again: Some(known), ..Self::empty(context) }
    }

    fn empty(context: &'a Context) -> Self {
        VulkanRun {
            context,
            buffers: Buffers::none(),
            counter: Counter::default(),
            tape: Tape::default(),
            fault: None,
            conditional: false,
            name: |_| None,
            watch: None,
            changing: None,
            again: None,
        }
    }
}

impl VulkanRun<'_> {
    fn note_spans(&mut self, spans: &[Span]) -> Piece {
        match &mut self.again {
            None => self.tape.push_spans(spans),
            Some(known) => known.spans(spans),
        }
    }

    fn note_args(&mut self, args: &[Arg]) -> Piece {
        match &mut self.again {
            None => self.tape.push_args(args),
            Some(known) => known.args(args),
        }
    }

    fn note_numbers(&mut self, numbers: &[f32]) -> Piece {
        match &mut self.again {
            None => self.tape.push_numbers(numbers),
            Some(known) => known.numbers(numbers),
        }
    }

    fn note(&mut self, call: Call) {
        match &mut self.again {
            None => self.tape.calls.push(call),
            Some(known) => known.call(&call),
        }
    }

    /// Looks at what a kernel makes, where that is wanted: by another kernel behind it.
    fn made(&mut self, outs: &[Span], moved: bool) {
        let Some(mut watch) = self.watch.take() else { return };
        for &out in outs {
            let Some(place) = watch.place(out, moved) else { continue };
            let each = Arg::View { span: out, strides: [0, 0, 0, 1] };
            let grade = |[x]: [f32; 1], []: [f32; 0]| Grade::of(x);
            let grid = [1, 1, 1, out.len];
            self.reduce(place, Fold::Max, grid, [true; 4], [each], [], grade, Grade::TEXT);
        }
        self.watch = Some(watch);
    }

    /// Notes what is wrong with a call, if nothing was before.
    pub(crate) fn broken(&mut self, span: Span, problem: &str) {
        let error = || {
            self.context
                .error(format!("a mistake in netform: {span:?}: {problem}; please report it"))
        };
        if self.fault.is_none() {
            self.fault = Some(error());
        }
    }

    /// Notes that a tensor is too large, of which `None` is more elements than can be counted.
    fn too_large(&mut self, elements: Option<usize>) {
        if self.fault.is_none() {
            self.fault = Some(self.context.too_large(elements));
        }
    }

    /// Checks that a span lies in what is bound, and may be written. A call that is like a known one has been checked.
    fn check(&mut self, span: Span, write: bool) {
        if span.len == 0 || self.again.is_some() {
            return;
        }
        let Some(bound) = self.buffers.get(span.slot) else {
            return self.broken(span, "nothing is bound there");
        };
        if span.len > self.context.windows.most() {
            self.too_large(Some(span.len));
        } else if span.offset.checked_add(span.len).is_none_or(|end| end > bound.len) {
            self.broken(span, &format!("beyond the {} elements bound there", bound.len));
        } else if write && (!bound.writable || matches!(span.slot, Slot::Index(_))) {
            self.broken(span, "not bound for writing");
        }
    }

    fn writes(&mut self, span: Span, sizes: &[usize]) {
        self.check(span, true);
        self.sized(span, sizes);
    }

    pub(crate) fn reads(&mut self, span: Span, sizes: &[usize]) {
        self.check(span, false);
        self.sized(span, sizes);
    }

    /// Checks that a span has as many elements as the product of `sizes`, and that they can be counted.
    fn sized(&mut self, span: Span, sizes: &[usize]) {
        let product = sizes.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
        match product.filter(|n| *n <= self.context.windows.most()) {
            None => self.too_large(product),
            Some(n) if n > span.len => self.broken(span, &format!("the kernel needs {n} elements")),
            Some(_) => {}
        }
    }

    /// Checks that an input stays in its span on the whole grid.
    fn argument(&mut self, arg: &Arg, grid: Grid) {
        let Arg::View { span, strides } = *arg else { return };
        self.check(span, false);
        if grid.contains(&0) {
            return;
        }
        let reach = grid.iter().zip(&strides).try_fold(1_usize, |sum, (&size, &stride)| {
            sum.checked_add((size - 1).checked_mul(stride)?)
        });
        if reach.is_none_or(|reach| reach > span.len) {
            self.broken(span, &format!("strides {strides:?} on the grid {grid:?} leave it"));
        }
    }

    fn expression(&mut self, grid: Grid, ins: &[Arg], consts: &[f32], text: Text) -> Expression {
        ins.iter().for_each(|arg| self.argument(arg, grid));
        Expression {
            ins: self.note_args(ins),
            consts: self.note_numbers(consts),
            text: Static(text),
        }
    }

    fn pool(&mut self, kind: Pooling, out: Span, x: Span, second: Option<Span>, dims: Pool2dDims) {
        let [height, width] = dims.out_size();
        let small = [dims.planes, height, width];
        let large = [dims.planes, dims.height, dims.width];
        let sizes = match kind {
            Pooling::Max | Pooling::Average => [small, large, large],
            Pooling::MaxScatter => [large, large, small],
            Pooling::MaxGather => [small, large, large],
            Pooling::AverageSpread => [large, small, small],
        };
        self.writes(out, &sizes[0]);
        self.reads(x, &sizes[1]);
        if let Some(second) = second {
            self.reads(second, &sizes[2]);
        }
        self.note(Call::Pool { kind, out, x, second, dims });
        self.made(&[out], false);
    }

    fn index(
        &mut self,
        kind: Indexing,
        [out, x, index]: [Span; 3],
        dims: IndexDims,
        counted: Counted,
    ) {
        let IndexDims { rows, cols, picks } = dims;
        let (table, picked, count) = match kind {
            Indexing::GatherAlong | Indexing::ScatterAlong => {
                ([rows, cols], [rows, picks], [rows, picks])
            }
            Indexing::Embedding | Indexing::EmbeddingAdd => {
                ([rows, cols], [picks, cols], [picks, 1])
            }
        };
        let into_table = matches!(kind, Indexing::ScatterAlong | Indexing::EmbeddingAdd);
        let (to, from) = if into_table { (table, picked) } else { (picked, table) };
        self.writes(out, &to);
        self.reads(x, &from);
        self.reads(index, &count);
        let looked_up = if into_table { out } else { x };
        let of = Misindexed::new(self.name, counted, Some(looked_up), Some(index));
        self.note(Call::Index { kind, out, x, index, dims, of });
        self.made(&[out], false);
    }

    fn conv_sizes(dims: &Conv2dDims) -> [[usize; 4]; 3] {
        let [oh, ow] = dims.out_size();
        let [kh, kw] = dims.kernel;
        [
            [dims.batch, dims.in_channels, dims.height, dims.width],
            [dims.out_channels, dims.in_channels / dims.groups.max(1), kh, kw],
            [dims.batch, dims.out_channels, oh, ow],
        ]
    }
}

impl Kernels<f32> for VulkanRun<'_> {
    fn map<const M: usize, const N: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        ins: [Arg; N],
        consts: [f32; C],
        _f: impl Fn([f32; N], [f32; C]) -> [f32; M] + Copy + Send + Sync,
        text: Text,
    ) {
        outs.iter().for_each(|out| self.writes(*out, &grid));
        let f = self.expression(grid, &ins, &consts, text);
        let made = self.note_spans(&outs);
        self.note(Call::Map { outs: made, grid, f });
        self.made(&outs, false);
    }

    fn reduce<const N: usize, const C: usize>(
        &mut self,
        out: Span,
        fold: Fold,
        grid: Grid,
        reduced: [bool; GRID_RANK],
        ins: [Arg; N],
        consts: [f32; C],
        _f: impl Fn([f32; N], [f32; C]) -> f32 + Copy + Send + Sync,
        text: Text,
    ) {
        let remaining = std::array::from_fn::<_, GRID_RANK, _>(|axis| match reduced[axis] {
            true => 1,
            false => grid[axis],
        });
        self.writes(out, &remaining);
        self.sized(Span { len: usize::MAX, ..out }, &grid);
        let f = self.expression(grid, &ins, &consts, text);
        self.note(Call::Reduce { out, fold, grid, reduced, f });
        self.made(&[out], false);
    }

    fn rows<const M: usize, const N: usize, const P: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        grid: Grid,
        lead: usize,
        ins: [Arg; N],
        params: [Arg; P],
        consts: [f32; C],
        program: impl RowProgram<f32, P, C>,
        text: &'static [RowStep],
    ) {
        fn constants<T: RowProgram<f32, P, C>, const P: usize, const C: usize>(
            _: T,
        ) -> (&'static [bool], usize) {
            (T::WIDE, T::KEPT)
        }
        let (wide, kept) = constants(program);
        let lead = lead.min(GRID_RANK);
        let mut of_rows = grid;
        of_rows[lead..].fill(1);
        for (j, out) in outs.iter().enumerate() {
            let is_wide = wide.get(j).is_some_and(|wide| *wide);
            self.writes(*out, if is_wide { &grid } else { &of_rows });
        }
        ins.iter().for_each(|arg| self.argument(arg, grid));
        params.iter().for_each(|arg| self.argument(arg, of_rows));
        let call = RowsCall {
            outs: self.note_spans(&outs),
            wide: Static(wide),
            kept,
            grid,
            lead,
            ins: self.note_args(&ins),
            params: self.note_args(&params),
            consts: self.note_numbers(&consts),
            steps: Static(text),
            of: Misindexed::of_rows(self.name, &ins, &params),
        };
        self.note(Call::Rows(call));
        self.made(&outs, false);
    }

    fn matmul<const M: usize, const N: usize, const C: usize>(
        &mut self,
        outs: [Span; M],
        a: Span,
        b: Span,
        dims: MatmulDims,
        ins: [Arg; N],
        consts: [f32; C],
        _epilogue: impl Fn(f32, [f32; N], [f32; C]) -> [f32; M] + Copy + Send + Sync,
        text: Text,
    ) {
        let MatmulDims { batch, m, n, k, stride_a, stride_b, .. } = dims;
        outs.iter().for_each(|out| self.writes(*out, &[batch, m, n]));
        for (span, stride, rows, cols) in [(a, stride_a, m, k), (b, stride_b, k, n)] {
            let last = batch.saturating_sub(1).checked_mul(stride);
            self.reads(span, &[rows, cols]);
            let size = rows.saturating_mul(cols);
            if last.and_then(|last| last.checked_add(size)).is_none_or(|end| end > span.len) {
                self.broken(span, "the products leave it");
            }
        }
        let f = self.expression([1, batch, m, n], &ins, &consts, text);
        let made = self.note_spans(&outs);
        self.note(Call::Matmul { outs: made, a, b, dims, f });
        self.made(&outs, false);
    }

    fn conv2d<const M: usize, const N: usize, const C: usize>(
        &mut self,
        ys: [Span; M],
        x: Span,
        w: Span,
        dims: Conv2dDims,
        ins: [Arg; N],
        consts: [f32; C],
        _epilogue: impl Fn(f32, [f32; N], [f32; C]) -> [f32; M] + Copy + Send + Sync,
        text: Text,
    ) {
        let [of_x, of_w, of_y] = Self::conv_sizes(&dims);
        ys.iter().for_each(|y| self.writes(*y, &of_y));
        self.reads(x, &of_x);
        self.reads(w, &of_w);
        let f = self.expression(of_y, &ins, &consts, text);
        let made = self.note_spans(&ys);
        self.note(Call::Conv2d { ys: made, x, w, dims, f });
        self.made(&ys, false);
    }

    fn conv2d_input(&mut self, dx: Span, dy: Span, w: Span, dims: Conv2dDims) {
        let [of_x, of_w, of_y] = Self::conv_sizes(&dims);
        self.writes(dx, &of_x);
        self.reads(dy, &of_y);
        self.reads(w, &of_w);
        self.note(Call::Conv2dInput { dx, dy, w, dims });
        self.made(&[dx], false);
    }

    fn conv2d_weight(&mut self, dw: Span, x: Span, dy: Span, dims: Conv2dDims) {
        let [of_x, of_w, of_y] = Self::conv_sizes(&dims);
        self.writes(dw, &of_w);
        self.reads(x, &of_x);
        self.reads(dy, &of_y);
        self.note(Call::Conv2dWeight { dw, x, dy, dims });
        self.made(&[dw], false);
    }

    fn max_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims) {
        self.pool(Pooling::Max, y, x, None, dims);
    }

    fn max_pool2d_scatter(&mut self, dx: Span, x: Span, dy: Span, dims: Pool2dDims) {
        self.pool(Pooling::MaxScatter, dx, x, Some(dy), dims);
    }

    fn avg_pool2d(&mut self, y: Span, x: Span, dims: Pool2dDims) {
        self.pool(Pooling::Average, y, x, None, dims);
    }

    fn avg_pool2d_spread(&mut self, dx: Span, dy: Span, dims: Pool2dDims) {
        self.pool(Pooling::AverageSpread, dx, dy, None, dims);
    }

    fn max_pool2d_gather(&mut self, y: Span, x: Span, g: Span, dims: Pool2dDims) {
        self.pool(Pooling::MaxGather, y, x, Some(g), dims);
    }

    fn gather(&mut self, out: Span, x: Span, index: Span, rows: usize, cols: usize) {
        let dims = IndexDims { rows, cols, picks: 1 };
        self.index(Indexing::GatherAlong, [out, x, index], dims, Counted::Row);
    }

    fn gather_along(&mut self, out: Span, x: Span, index: Span, dims: IndexDims) {
        self.index(Indexing::GatherAlong, [out, x, index], dims, Counted::Index);
    }

    fn scatter_along(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims) {
        self.index(Indexing::ScatterAlong, [out, dy, index], dims, Counted::Index);
    }

    fn embedding(&mut self, out: Span, table: Span, index: Span, dims: IndexDims) {
        self.index(Indexing::Embedding, [out, table, index], dims, Counted::LookUp);
    }

    fn embedding_add(&mut self, out: Span, dy: Span, index: Span, dims: IndexDims) {
        self.index(Indexing::EmbeddingAdd, [out, dy, index], dims, Counted::LookUp);
    }

    fn cumsum(&mut self, out: Span, x: Span, dims: [usize; 3], reverse: bool) {
        self.writes(out, &dims);
        self.reads(x, &dims);
        self.note(Call::Cumsum { out, x, dims, reverse });
        self.made(&[out], false);
    }

    fn fill(&mut self, out: Span, value: f32) {
        self.writes(out, &[out.len]);
        let value = self.note_numbers(&[value]);
        self.note(Call::Fill { out, value });
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
        self.check(out, true);
        self.sized(Span { len: usize::MAX, ..out }, &grid);
        self.argument(&input, grid);
        if !grid.contains(&0) && !inside(out.len, offset, strides, grid) {
            self.broken(out, &format!("strides {strides:?} from {offset} leave it"));
        }
        let input = self.note_args(&[input]);
        self.note(Call::Copy { out, offset, strides, grid, input });
        self.made(&[out], true);
    }

    fn only_if(&mut self, value: Span, finite: bool, kernels: impl FnOnce(&mut Self)) {
        if self.conditional {
            return self.broken(value, "a condition within another one");
        }
        if let Some(known) = &mut self.again {
            return known.differ();
        }
        self.reads(value, &[1]);
        let from = self.tape.calls.len();
        self.conditional = true;
        kernels(self);
        self.conditional = false;
        let to = self.tape.calls.len();
        if from < to {
            self.tape.conditions.push(Condition { from, to, value, finite });
        }
    }
}

/// Whether every place of a grid lies among `len` elements.
fn inside(len: usize, offset: usize, strides: [isize; GRID_RANK], grid: Grid) -> bool {
    let mut ends = Some((offset as i128, offset as i128));
    for (&size, &stride) in grid.iter().zip(&strides) {
        let reach = (size as i128 - 1).checked_mul(stride as i128);
        ends = ends.zip(reach).and_then(|((low, high), reach)| {
            Some((low.checked_add(reach.min(0))?, high.checked_add(reach.max(0))?))
        });
    }
    ends.is_some_and(|(low, high)| low >= 0 && high < len as i128)
}
