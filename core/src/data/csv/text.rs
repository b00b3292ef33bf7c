//! Where a table's records are in its text, and how messages show a field.

use std::fmt;
use std::path::Path;

use ::csv::{ErrorKind, Position};

use crate::error::Error;

/// The most characters of a field that a message repeats.
const SHOWN: usize = 40;

/// What the reader of the `csv` crate refused.
pub(super) fn refused(path: &Path, error: ::csv::Error, lines: &mut Lines) -> Error {
    let line = lines.at(error.position());
    match error.into_kind() {
        ErrorKind::Io(e) => Error::io(path, e),
        ErrorKind::Utf8 { err, .. } => {
            let problem =
                format!("field {} is not UTF-8: expected the file in UTF-8", err.field() + 1);
            Error::format(path, format!("line {line}"), problem)
        }
        kind => Error::format(path, format!("line {line}"), format!("not CSV: {kind:?}")),
    }
}

/// Finds lines from positions, in ascending order. The line that the `csv` crate gives is that of a blank
/// line in front, and counts a line's end as its own in files from Windows.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    seen: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Lines { bytes, seen: 0, line: 1 }
    }

    /// The line of the record that was being read at `position`.
    pub fn at(&mut self, position: Option<&Position>) -> usize {
        let start = position.map_or(0, |position| position.byte() as usize);
        let skipped = self.bytes.iter().skip(start).take_while(|b| matches!(b, b'\r' | b'\n'));
        let start = (start + skipped.count()).min(self.bytes.len());
        let new = self.bytes.get(self.seen..start).unwrap_or_default();
        self.line += new.iter().filter(|&&b| b == b'\n').count();
        self.seen = self.seen.max(start);
        self.line
    }
}

/// A field as a message shows it: cut where it is long, `nothing` where it is empty.
pub(super) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            _ if self.0.is_empty() => f.write_str("nothing"),
            Some((end, _)) => write!(f, "`{}..`", self.0[..end].escape_debug()),
            None => write!(f, "`{}`", self.0.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ::csv::ReaderBuilder;

    use super::*;

    #[test]
    fn lines_do_not_count_what_lies_before_a_record() {
        for newline in ["\n", "\r\n"] {
            let text = ["a,b", "1,2", "", "", "3,4", "5,6", ""].join(newline);
            let mut lines = Lines::new(text.as_bytes());
            let reader = ReaderBuilder::new().from_reader(text.as_bytes());
            let found: Vec<usize> =
                reader.into_records().map(|row| lines.at(row.unwrap().position())).collect();
            assert_eq!(found, [2, 5, 6], "{newline:?}");
        }
    }

    #[test]
    fn long_and_empty_fields_are_shown_short() {
        assert_eq!(Shown("").to_string(), "nothing");
        assert_eq!(Shown("a\nb").to_string(), "`a\\nb`");
        let long = "\u{e4}".repeat(50);
        assert_eq!(Shown(&long).to_string(), format!("`{}..`", "\u{e4}".repeat(40)));
    }
}
