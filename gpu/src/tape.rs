//! The calls of a pass as data: what is compared with what was recorded before.
//!
//! Numbers that may change from step to step (constants of expressions: a learning rate, a setting) are no part of what
//! is compared: they travel to the device in a small buffer.

use netform_core::device::{
    Arg, Conv2dDims, Fold, GRID_RANK, Grid, IndexDims, MatmulDims, Misindexed, Pool2dDims, RowStep,
    Span,
};

/// Some items of one of the tape's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub start: usize,
    pub len: usize,
}

/// Data of the program itself, compared by their place: each text of a printed expression has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Static<T: 'static>(pub &'static [T]);

impl<T> PartialEq for Static<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

/// A fused expression with its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expression {
    /// Of [`Tape::args`].
    pub ins: Piece,
    /// Of [`Tape::numbers`].
    pub consts: Piece,
    pub text: Static<&'static str>,
}

/// A program over rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RowsCall {
    /// Of [`Tape::spans`].
    pub outs: Piece,
    pub wide: Static<bool>,
    pub kept: usize,
    pub grid: Grid,
    pub lead: usize,
    /// Of [`Tape::args`], as `params`.
    pub ins: Piece,
    pub params: Piece,
    /// Of [`Tape::numbers`].
    pub consts: Piece,
    pub steps: Static<RowStep>,
    pub of: Misindexed,
}

/// What a pooling computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    Max,
    /// The second input is dy.
    MaxScatter,
    /// The second input is g.
    MaxGather,
    Average,
    AverageSpread,
}

/// What a kernel with an index computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexing {
    GatherAlong,
    ScatterAlong,
    Embedding,
    EmbeddingAdd,
}

/// The call of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Map {
        outs: Piece,
        grid: Grid,
        f: Expression,
    },
    Reduce {
        out: Span,
        fold: Fold,
        grid: Grid,
        reduced: [bool; GRID_RANK],
        f: Expression,
    },
    Rows(RowsCall),
    Matmul {
        outs: Piece,
        a: Span,
        b: Span,
        dims: MatmulDims,
        f: Expression,
    },
    Conv2d {
        ys: Piece,
        x: Span,
        w: Span,
        dims: Conv2dDims,
        f: Expression,
    },
    Conv2dInput {
        dx: Span,
        dy: Span,
        w: Span,
        dims: Conv2dDims,
    },
    Conv2dWeight {
        dw: Span,
        x: Span,
        dy: Span,
        dims: Conv2dDims,
    },
    Pool {
        kind: Pooling,
        out: Span,
        x: Span,
        second: Option<Span>,
        dims: Pool2dDims,
    },
    Index {
        kind: Indexing,
        out: Span,
        x: Span,
        index: Span,
        dims: IndexDims,
        of: Misindexed,
    },
    Cumsum {
        out: Span,
        x: Span,
        dims: [usize; 3],
        reverse: bool,
    },
    Fill {
        out: Span,
        value: Piece,
    },
    /// The input is the only one of `input`.
    Copy {
        out: Span,
        offset: usize,
        strides: [isize; GRID_RANK],
        grid: Grid,
        input: Piece,
    },
}

/// Some calls that are made only where a value is finite and nothing has been found wrong; or only where not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The numbers of the first call and of the one after the last.
    pub from: usize,
    pub to: usize,
    pub value: Span,
    pub finite: bool,
}

/// Rows by index, of 32-bit words, copied before a pass's calls: those of its buffers' gather of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// The words of a row.
    pub width: usize,
    /// How many rows there are to copy from.
    pub size: usize,
    pub count: usize,
    /// How many indices there are, among which those of the rows are.
    pub indices: usize,
}

/// What is kept of a pass that nobody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub value: Span,
    pub more: Option<Span>,
}

/// The calls of a pass.
#[derive(Clone, Default)]
pub(crate) struct Tape {
    pub gathers: Vec<Rows>,
    /// For each gather, where its indices begin: this may change from step to step, as the numbers.
    pub firsts: Vec<u32>,
    pub calls: Vec<Call>,
    /// In order, and apart from each other.
    pub conditions: Vec<Condition>,
    pub kept: Option<Kept>,
    pub spans: Vec<Span>,
    pub args: Vec<Arg>,
    pub numbers: Vec<f32>,
}

/// How much there is of each list of a tape that calls are noted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub calls: usize,
    pub conditions: usize,
    pub spans: usize,
    pub args: usize,
    pub numbers: usize,
}

/// Appends items and says where they are.
fn push<T: Clone>(list: &mut Vec<T>, items: &[T]) -> Piece {
    let piece = Piece { start: list.len(), len: items.len() };
    list.extend_from_slice(items);
    piece
}

impl Tape {
    pub fn clear(&mut self) {
        self.gathers.clear();
        self.firsts.clear();
        self.calls.clear();
        self.conditions.clear();
        self.kept = None;
        self.spans.clear();
        self.args.clear();
        self.numbers.clear();
    }

    pub fn push_spans(&mut self, spans: &[Span]) -> Piece {
        push(&mut self.spans, spans)
    }

    pub fn push_args(&mut self, args: &[Arg]) -> Piece {
        push(&mut self.args, args)
    }

    pub fn push_numbers(&mut self, numbers: &[f32]) -> Piece {
        push(&mut self.numbers, numbers)
    }

    pub fn marks(&self) -> Marks {
        Marks {
            calls: self.calls.len(),
            conditions: self.conditions.len(),
            spans: self.spans.len(),
            args: self.args.len(),
            numbers: self.numbers.len(),
        }
    }

    pub fn spans(&self, piece: Piece) -> &[Span] {
        &self.spans[piece.start..piece.start + piece.len]
    }

    pub fn args(&self, piece: Piece) -> &[Arg] {
        &self.args[piece.start..piece.start + piece.len]
    }

    /// Whether it is the same pass, but for its numbers.
    pub fn is_like(&self, other: &Tape) -> bool {
        self.numbers.len() == other.numbers.len()
            && self.kept == other.kept
            && self.gathers == other.gathers
            && self.conditions == other.conditions
            && self.calls == other.calls
            && self.spans == other.spans
            && self.args == other.args
    }
}
