//! Where a table's records are in its text.

use std::path::Path;

use ::csv::{ErrorKind, Position};

use crate::error::Error;

/// What the reader of the `csv` crate refused.
pub(super) fn refused(path: &Path, error: ::csv::Error, lines: &mut Lines) -> Error {
    let line = lines.at(error.position());
    match error.into_kind() {
        ErrorKind::Io(e) => Error::io(path, e),
        ErrorKind::Utf8 { err, .. } => {
            let problem = format!(
                "field {} is not UTF-8: expected the file in UTF-8, which Excel writes as `CSV UTF-8`",
                err.field() + 1
            );
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

/// The line of the quote before a field that the text ends in, if it ends in a quoted field: the `csv` crate takes the
/// end of the text for that of the field.
pub(super) fn open_quote(bytes: &[u8], delimiter: u8) -> Option<usize> {
    // The reader leaves this mark out, too.
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut open = None;
    let mut begins = true;
    let mut rest = bytes.iter().enumerate().skip(start).peekable();
    while let Some((i, &byte)) = rest.next() {
        match (open, byte) {
            // Two quotes inside a quoted field are one of its own.
            (Some(_), b'"') if rest.next_if(|(_, next)| **next == b'"').is_some() => {}
            (Some(_), b'"') => (open, begins) = (None, false),
            (Some(_), _) => {}
            (None, b'"') if begins => open = Some(i),
            (None, _) => begins = byte == delimiter || matches!(byte, b'\r' | b'\n'),
        }
    }
    open.map(|i| 1 + bytes[..i].iter().filter(|&&byte| byte == b'\n').count())
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
    fn a_quote_is_open_where_the_reader_takes_the_end_for_it() {
        let cases = [
            ("", None),
            ("a,b\n1,\"2\"\n", None),
            ("a,b\n1,\"2", Some(2)),
            ("\"a,b\n1,2\n", Some(1)),
            ("\u{feff}\"a,b\n", Some(1)),
            ("a\n\"b \"\"c\"\" d\"\n", None),
            ("a\n\"b\"\"", Some(2)),
            ("a\nb\"c\n \"d\n", None),
            ("a\n\"b\"c\n", None),
        ];
        for (text, line) in cases {
            assert_eq!(open_quote(text.as_bytes(), b','), line, "{text:?}");
        }
    }
}
