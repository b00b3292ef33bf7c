//! What errors say of an index that is out of range: where it was, of what it is, and how many there are.

use super::{Arg, Slot, Span};
use crate::error::Error;

/// The name of the layer whose parameters a span holds, or of the input that it is; `None` where it is neither.
pub type Name = fn(Span) -> Option<&'static str>;

/// What a kernel does at each index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Takes an element of the row at the same place, which is a class where the rows are scores.
    Row,
    /// Takes an element of a row that has several indices.
    Index,
    /// Takes a row of a table.
    LookUp,
    /// Takes a sample of a data set.
    Sample,
}

/// Indices and what they are indices of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misindexed {
    counted: Counted,
    table: Option<&'static str>,
    index: Option<&'static str>,
}

impl Misindexed {
    /// Those of spans: what is looked up in, if it can have a name, and the index.
    pub fn new(name: Name, counted: Counted, table: Option<Span>, index: Option<Span>) -> Self {
        Misindexed { counted, table: table.and_then(name), index: index.and_then(name) }
    }

    /// Those of a program that takes an element of each row: the input that its integers are of, and what the rows are,
    /// where they are read of one place. Of several inputs it is not known here which one is the index.
    pub fn of_rows(name: Name, rows: &[Arg], params: &[Arg]) -> Self {
        let table = match rows {
            [Arg::View { span, .. }] => name(*span),
            _ => None,
        };
        let mut integers = params.iter().filter_map(|param| match param {
            Arg::View { span, .. } if matches!(span.slot, Slot::Index(_)) => Some(name(*span)),
            _ => None,
        });
        let first = integers.next().flatten();
        let index = first.filter(|_| integers.all(|other| other == first));
        Misindexed { counted: Counted::Row, table, index }
    }

    /// Those of what nobody has given a name.
    pub const fn unnamed(counted: Counted) -> Self {
        Misindexed { counted, table: None, index: None }
    }

    /// The error of the index at a position, where there are `size` places.
    pub fn error(self, position: usize, index: usize, size: usize) -> Error {
        let (counted, of) = match self.counted {
            Counted::Row => ("row", "classes or elements of a row"),
            Counted::Index => ("index", "elements of a row"),
            Counted::LookUp => ("look-up", "rows of the table"),
            Counted::Sample => ("row", "samples"),
        };
        let mut what = format!("{counted} {position}");
        if let Some(table) = self.table {
            what += &format!(" in `{table}`");
        }
        if let Some(index) = self.index {
            what += &format!(", of input `{index}`");
        }
        Error::IndexOutOfRange { what, index, size, of }
    }
}
