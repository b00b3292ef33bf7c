//! Programs over rows: softmax, layer norm and cross entropy as one kernel, which takes a row from memory once.
//!
//! A program is a few passes over the elements of a row with scalar expressions between them. A pass
//! evaluates a fused expression at every element and folds, stores or keeps what it yields; what it folds is
//! a number that later passes use. `network!` prints programs; a device runs one for each row, or
//! compiles its text.

use crate::device::Text;
use crate::element::Float;

/// What becomes of one of the values that a pass computes at each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTo {
    /// Summed.
    Sum,
    /// Their maximum, beginning with minus infinity. Not-a-number where one of them is.
    Max,
    /// Stored in an output, by its number.
    Out(usize),
    /// Kept for later passes, by the number of the row that is kept.
    Keep(usize),
}

/// Rows of a [`RowProgram`]: what a device does for them. It may take several at once, so a number of the row is
/// a name for as many.
pub trait Row<E: Float> {
    /// A number of the row, or what stands for it.
    type Number: Copy;

    /// Evaluates `f` at every element of the row. `ins` are numbers of inputs and, from the number of inputs
    /// on, of rows that were kept. Returns the folds; where nothing is folded, the number has no meaning.
    fn pass<const A: usize, const S: usize, const W: usize>(
        &mut self,
        ins: [usize; A],
        numbers: [Self::Number; S],
        to: [RowTo; W],
        f: impl Fn([E; A], [E; S]) -> [E; W] + Copy,
    ) -> [Self::Number; W];

    /// Evaluates `f` at one element. An index that is not one of the row makes
    /// [`Run::finish`](super::Run::finish) return an error.
    fn pick<const A: usize, const S: usize>(
        &mut self,
        index: Self::Number,
        ins: [usize; A],
        numbers: [Self::Number; S],
        f: impl Fn([E; A], [E; S]) -> E + Copy,
    ) -> Self::Number;

    /// A number of the row from others.
    fn number<const S: usize>(
        &mut self,
        numbers: [Self::Number; S],
        f: impl Fn([E; S]) -> E + Copy,
    ) -> Self::Number;

    /// Stores the row's number in an output that has one for each row.
    fn put(&mut self, out: usize, number: Self::Number);
}

/// What is computed of every row, with `P` numbers that are inputs of the row and `C` constants.
pub trait RowProgram<E: Float, const P: usize, const C: usize>: Copy + Send + Sync {
    /// For each output whether it has an element for each element of the row; otherwise one for the row.
    const WIDE: &'static [bool];
    /// How many rows are kept between passes.
    const KEPT: usize;
    /// How many numbers are computed for each row.
    const NUMBERS: usize;

    /// The passes over the rows.
    fn run<R: Row<E>>(self, row: &mut R, params: [R::Number; P], consts: [E; C]);
}

/// A program as text in WGSL, for a device without closures. Names: `a0`, `a1`, .. the inputs of a pass,
/// kept rows among them; `p0`, .. the numbers that the row gets; `c0`, .. constants; `s0`, .. the numbers that are
/// computed, in their order.
#[derive(Clone, Copy, Debug)]
pub enum RowStep {
    /// [`Row::pass`]: statements and one expression for each value. Folds are the numbers `names`.
    Pass {
        /// Inputs and kept rows.
        ins: &'static [usize],
        /// What becomes of each value.
        to: &'static [RowTo],
        /// For each value the name of its fold; empty where there is none.
        names: &'static [&'static str],
        /// Statements, and an expression for each value.
        text: Text,
    },
    /// [`Row::pick`] of the number `name`.
    Pick {
        /// The number that is computed.
        name: &'static str,
        /// The name of the number that is the index.
        index: &'static str,
        /// Inputs.
        ins: &'static [usize],
        /// Statements, and the expression.
        text: Text,
    },
    /// [`Row::number`] `name`: statements, and the expression.
    Number {
        /// The number that is computed.
        name: &'static str,
        /// Statements, and the expression.
        text: Text,
    },
    /// [`Row::put`] of the number `name`.
    Put {
        /// The output.
        out: usize,
        /// The number.
        name: &'static str,
    },
}
