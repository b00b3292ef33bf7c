//! CSV tables: a header, columns of numbers as features, and a column of classes or columns of numbers
//! as targets.
//!
//! A table is read whole and checked field by field, so that a message can name the line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ::csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};

use crate::data::memory::InMemory;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::SampleShape;

/// The most characters of a field that a message repeats.
const SHOWN: usize = 40;

/// A table that was read from a file, on the way to becoming samples: first the columns of features and
/// targets are chosen, then [`Table::into_samples`] turns them into numbers.
///
/// ```no_run
/// use netform_core::data::{InMemory, Table};
/// use netform_core::dim::D;
///
/// let iris: InMemory<(D<4>,), ()> =
///     Table::read("examples/data/iris.csv")?.classes("species")?.into_samples()?;
/// assert_eq!(iris.class_names()[0], "setosa");
///
/// let line: InMemory<(D<1>,), (D<1>,), f32, f32> =
///     Table::read("line.csv")?.features(&["x"])?.targets(&["y"])?.into_samples()?;
/// # Ok::<(), netform_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Table<Target = ()> {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<Row>,
    features: Option<Vec<usize>>,
    target: Target,
}

/// The target of a [`Table`] is a class.
#[derive(Clone, Debug)]
pub struct Classes {
    column: usize,
    names: Option<Vec<String>>,
}

/// The targets of a [`Table`] are numbers.
#[derive(Clone, Debug)]
pub struct Values {
    columns: Vec<usize>,
}

#[derive(Clone)]
struct Row {
    /// The line of the file, from 1.
    line: usize,
    fields: StringRecord,
}

impl Table {
    /// Reads a file of fields between commas, the first line of which names the columns. Spaces around a
    /// field and blank lines are left out.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8, has no header or no rows, names a column twice, or has a
    /// row with more or fewer fields than the header.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let mut lines = Lines::new(&bytes);
        let mut reader =
            ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|e| refused(path, e, &mut lines))?;
        let columns = header_columns(path, header)?;
        let mut rows = Vec::new();
        for record in reader.into_records() {
            let fields = record.map_err(|e| refused(path, e, &mut lines))?;
            let line = lines.at(fields.position());
            check_width(path, line, &columns, &fields)?;
            rows.push(Row { line, fields });
        }
        if rows.is_empty() {
            let problem = "found no rows after the header, expected at least one";
            return Err(Error::format(path, "line 2", problem));
        }
        Ok(Table { path: path.to_owned(), columns, rows, features: None, target: () })
    }

    /// Takes the column as the class. Its fields, text or numbers, become class names in ascending
    /// order, numbers by size; the class of a sample is the position of its name.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn classes(self, column: &str) -> Result<Table<Classes>> {
        let column = self.column(column)?;
        Ok(self.with_target(Classes { column, names: None }))
    }

    /// Takes the column as the class, with the classes that are named: a test set needs the classes of
    /// its training set, [`InMemory::class_names`], even where one of them does not occur.
    ///
    /// # Errors
    /// If there is no such column. [`Table::into_samples`] refuses a field that is not one of the names.
    pub fn classes_named<S: AsRef<str>>(self, column: &str, names: &[S]) -> Result<Table<Classes>> {
        let column = self.column(column)?;
        let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        Ok(self.with_target(Classes { column, names: Some(names) }))
    }

    /// Takes the columns as targets that are numbers.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn targets(self, columns: &[&str]) -> Result<Table<Values>> {
        let columns = columns.iter().map(|name| self.column(name)).collect::<Result<_>>()?;
        Ok(self.with_target(Values { columns }))
    }

    fn with_target<T>(self, target: T) -> Table<T> {
        let Table { path, columns, rows, features, target: () } = self;
        Table { path, columns, rows, features, target }
    }
}

impl<T> Table<T> {
    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows, the header not counted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes these columns as features, in this order. Without this, all columns but the target's are.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn features(mut self, columns: &[&str]) -> Result<Self> {
        let columns = columns.iter().map(|name| self.column(name)).collect::<Result<_>>()?;
        self.features = Some(columns);
        Ok(self)
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let problem =
                format!("there is no column `{name}`; there are {}", self.columns.join(", "));
            Error::format(&self.path, "header", problem)
        })
    }

    /// The columns of features, given the targets'.
    fn feature_columns(&self, targets: &[usize]) -> Vec<usize> {
        match &self.features {
            Some(columns) => columns.clone(),
            None => (0..self.columns.len()).filter(|column| !targets.contains(column)).collect(),
        }
    }

    /// The fields of the columns as numbers, row by row.
    fn numbers<S: SampleShape, E: Float>(&self, what: &str, columns: &[usize]) -> Result<Vec<E>> {
        if columns.len() != S::NUMEL {
            let names: Vec<&str> = columns.iter().map(|&i| self.columns[i].as_str()).collect();
            return Err(Error::Size {
                what: format!("{what} of shape {} from {}", S::describe(), self.path.display()),
                expected: format!("{} columns", S::NUMEL),
                found: format!("{} ({})", columns.len(), names.join(", ")),
            });
        }
        let mut numbers = Vec::with_capacity(self.rows.len() * columns.len());
        for row in &self.rows {
            for &column in columns {
                numbers.push(self.number(row, column)?);
            }
        }
        Ok(numbers)
    }

    fn number<E: Float>(&self, row: &Row, column: usize) -> Result<E> {
        let field = &row.fields[column];
        let number = field.parse::<f64>().ok().filter(|x| x.is_finite());
        let number = number.ok_or_else(|| self.refused(row, column, "a finite number"))?;
        let number = E::from_f64(number);
        if number.is_finite() {
            Ok(number)
        } else {
            Err(self.refused(row, column, &format!("a number that {} can hold", E::NAME)))
        }
    }

    /// The error about a field that is not what it should be.
    fn refused(&self, row: &Row, column: usize, expected: &str) -> Error {
        let place = format!("line {}, field `{}`", row.line, self.columns[column]);
        let problem = format!("found {}, expected {expected}", Shown(&row.fields[column]));
        Error::format(&self.path, place, problem)
    }
}

impl Table<Classes> {
    /// The samples: features of shape `X`, and classes.
    ///
    /// # Errors
    /// If `X` does not have as many elements as there are columns of features, or a field is not what it
    /// should be; the message has its line and name.
    pub fn into_samples<X: SampleShape, E: Float>(self) -> Result<InMemory<X, (), E, u32>> {
        let features = self.feature_columns(&[self.target.column]);
        let inputs = self.numbers::<X, E>("features", &features)?;
        let names = match &self.target.names {
            Some(names) => names.clone(),
            None => self.class_names()?,
        };
        let ids: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let id = |row: &Row| {
            ids.get(&row.fields[self.target.column]).copied().ok_or_else(|| {
                self.refused(row, self.target.column, &format!("one of {}", names.join(", ")))
            })
        };
        let targets = self.rows.iter().map(id).collect::<Result<_>>()?;
        Ok(InMemory::new(inputs, targets)?.with_class_names(names))
    }

    /// Every class once, in ascending order; by size where all are numbers.
    fn class_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for row in &self.rows {
            match &row.fields[self.target.column] {
                "" => return Err(self.refused(row, self.target.column, "the name of a class")),
                name => names.push(name),
            }
        }
        names.sort_unstable();
        names.dedup();
        let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let mut numbered: Vec<_> = numbers.into_iter().zip(names).collect();
            numbered.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            names = numbered.into_iter().map(|(_, name)| name).collect();
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

impl Table<Values> {
    /// The samples: features of shape `X`, and targets of shape `Y`.
    ///
    /// # Errors
    /// If a shape does not have as many elements as there are columns for it, or a field is not a number;
    /// the message has its line and name.
    pub fn into_samples<X: SampleShape, Y: SampleShape, E: Float>(
        self,
    ) -> Result<InMemory<X, Y, E, E>> {
        let features = self.feature_columns(&self.target.columns);
        let inputs = self.numbers::<X, E>("features", &features)?;
        let targets = self.numbers::<Y, E>("targets", &self.target.columns)?;
        InMemory::new(inputs, targets)
    }
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("path", &self.path)
            .field("columns", &self.columns)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// The names in the header, which must be names and differ.
fn header_columns(path: &Path, header: &StringRecord) -> Result<Vec<String>> {
    let error = |problem: String| Err(Error::format(path, "header", problem));
    if header.iter().all(str::is_empty) {
        return error("found nothing, expected a line with the names of the columns".into());
    }
    // A file without a header would otherwise lose its first sample without a word.
    if header.iter().all(|name| name.parse::<f64>().is_ok()) {
        return error("found only numbers, expected a first line with the names of columns".into());
    }
    for (i, name) in header.iter().enumerate() {
        if header.iter().take(i).any(|earlier| earlier == name) {
            let name = Shown(name);
            return error(format!("found two columns named {name}, expected different names"));
        }
    }
    Ok(header.iter().map(str::to_owned).collect())
}

/// Checks that a row has a field for each column and no more.
fn check_width(path: &Path, line: usize, columns: &[String], row: &StringRecord) -> Result<()> {
    let (found, expected) = (row.len(), columns.len());
    if found == expected {
        return Ok(());
    }
    let detail = match columns.get(found) {
        Some(missing) => format!("`{missing}` is missing"),
        None => format!("{} is one too many", Shown(&row[expected])),
    };
    let problem = format!("found {found} fields, expected {expected}: {detail}");
    Err(Error::format(path, format!("line {line}"), problem))
}

/// What the reader of the `csv` crate refused.
fn refused(path: &Path, error: ::csv::Error, lines: &mut Lines) -> Error {
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
struct Lines<'a> {
    bytes: &'a [u8],
    seen: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Lines { bytes, seen: 0, line: 1 }
    }

    /// The line of the record that was being read at `position`.
    fn at(&mut self, position: Option<&Position>) -> usize {
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
struct Shown<'a>(&'a str);

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
    use super::*;
    use crate::dim::D;

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

    #[test]
    fn iris_has_its_species() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/iris.csv");
        let table = Table::read(path).unwrap();
        assert_eq!(table.len(), 150);
        let iris: InMemory<(D<4>,), ()> = table.classes("species").unwrap().into_samples().unwrap();
        assert_eq!(iris.class_names(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(iris.inputs()[..4], [5.1, 3.5, 1.4, 0.2]);
        for class in 0..3 {
            assert_eq!(iris.targets().iter().filter(|&&c| c == class).count(), 50);
        }
    }
}
