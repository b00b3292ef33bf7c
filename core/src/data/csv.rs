//! CSV tables: a header, columns of numbers or names as features, and a column of classes or columns of numbers
//! as targets.
//!
//! A table is read whole and checked field by field, so that a message can name the line.

mod categories;
mod missing;
mod samples;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ::csv::{ReaderBuilder, StringRecord, Trim};

use self::categories::words;
use self::text::{Lines, open_quote, refused};
use crate::data::columns::{Categories, Encoding, Listed, Notation, Shown};
use crate::data::{Fill, InMemory, Unlabelled};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::SampleShape;

/// A table that was read from a file, on the way to becoming samples: first the columns of features and
/// targets are chosen, then [`Table::into_samples`] turns them into numbers.
///
/// ```no_run
/// # extern crate netform_core as netform;
/// use netform::data::{InMemory, Table};
/// use netform::dim::D;
///
/// let iris: InMemory<(D<4>,), ()> =
///     Table::read("examples/data/iris.csv")?.classes("species")?.into_samples()?;
/// assert_eq!(iris.class_names()[0], "setosa");
///
/// let line: InMemory<(D<1>,), (D<1>,), f32, f32> =
///     Table::read("line.csv")?.features(&["x"])?.targets(&["y"])?.into_samples()?;
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Table<Target = ()> {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<Row>,
    features: Option<Vec<usize>>,
    /// The columns of names.
    encodings: BTreeMap<usize, Encoding>,
    /// What stands for the missing fields of a column.
    fills: BTreeMap<usize, Fill>,
    notation: Notation,
    target: Target,
}

/// The target of a [`Table`] is a class.
#[derive(Clone, Debug)]
pub struct Classes {
    column: usize,
    names: Option<Categories>,
}

/// The targets of a [`Table`] are numbers.
#[derive(Clone, Debug)]
pub struct Values {
    columns: Vec<usize>,
}

/// What of a [`Table`] is the target: nothing yet, [`Classes`] or [`Values`].
#[doc(hidden)]
pub trait Targets {
    /// Its columns.
    fn places(&self) -> &[usize];
}

impl Targets for () {
    fn places(&self) -> &[usize] {
        &[]
    }
}

impl Targets for Classes {
    fn places(&self) -> &[usize] {
        std::slice::from_ref(&self.column)
    }
}

impl Targets for Values {
    fn places(&self) -> &[usize] {
        &self.columns
    }
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
    /// If the file cannot be read, is not UTF-8, has no header or no rows, names a column twice, has a
    /// row with more or fewer fields than the header, or ends in a quoted field.
    #[doc(alias = "read_csv")]
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_separated(path, ',')
    }

    /// [`Table::read`] for fields with another separator between them, such as `';'` or `'\t'`.
    ///
    /// # Errors
    /// As [`Table::read`], or if the separator is not an ASCII character or is one of those around a field or a line.
    pub fn read_separated(path: impl AsRef<Path>, separator: char) -> Result<Self> {
        let path = path.as_ref();
        let delimiter = u8::try_from(separator)
            .ok()
            .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))
            .ok_or_else(|| {
                Error::Invalid(format!(
                    "a table cannot be separated by {separator:?}: expected an ASCII character that is no quote and no end of a line"
                ))
            })?;
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        if let Some(line) = open_quote(&bytes, delimiter) {
            let problem = "found a quote before a field and none after it, expected both or none; is the file truncated?";
            return Err(Error::format(path, format!("line {line}"), problem));
        }
        let mut lines = Lines::new(&bytes);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(bytes.as_slice());
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
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows,
            features: None,
            encodings: BTreeMap::new(),
            fills: BTreeMap::new(),
            notation: Notation::default(),
            target: (),
        })
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
    /// If there is no such column, or a name is empty or there twice. [`Table::into_samples`] refuses a field that is not
    /// one of the names.
    pub fn classes_named<S: AsRef<str>>(self, column: &str, names: &[S]) -> Result<Table<Classes>> {
        let names = Some(Categories::new(column, names)?);
        let column = self.column(column)?;
        Ok(self.with_target(Classes { column, names }))
    }

    /// Takes the columns as targets that are numbers.
    ///
    /// # Errors
    /// If there is no such column, or one is named twice.
    pub fn targets(self, columns: &[&str]) -> Result<Table<Values>> {
        let columns = self.places("targets", columns)?;
        Ok(self.with_target(Values { columns }))
    }

    fn with_target<T>(self, target: T) -> Table<T> {
        let Table { path, columns, rows, features, encodings, fills, notation, target: () } = self;
        Table { path, columns, rows, features, encodings, fills, notation, target }
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
    /// If there is no such column, or one is named twice.
    pub fn features(mut self, columns: &[&str]) -> Result<Self> {
        self.features = Some(self.places("features", columns)?);
        Ok(self)
    }

    /// Numbers have this before their decimals in place of the point: `','` for `1,5`. It goes before anything that looks
    /// at fields. A number with a point is refused then, for there it may group digits.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Table};
    /// use netform::dim::D;
    /// # let path = std::env::temp_dir().join(format!("netform-doc-decimal-{}", std::process::id()));
    ///
    /// std::fs::write(&path, "x;kind\n1,5;a\n-2;b\n").unwrap();
    /// let table = Table::read_separated(&path, ';')?.decimal(',');
    /// let samples: InMemory<(D<1>,)> = table.classes("kind")?.into_samples()?;
    /// assert_eq!(samples.inputs(), [1.5, -2.0]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    #[must_use]
    pub fn decimal(mut self, mark: char) -> Self {
        self.notation.decimal = mark;
        self
    }

    /// Numbers have this between their digits, in groups of three: `','` for `1,234`. It goes before anything that looks at
    /// fields. A number whose groups are of other sizes is refused.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Table};
    /// use netform::dim::D;
    /// # let path = std::env::temp_dir().join(format!("netform-doc-thousands-{}", std::process::id()));
    ///
    /// std::fs::write(&path, "km,kind\n\"12,500\",a\n900,b\n").unwrap();
    /// let table = Table::read(&path)?.thousands(',');
    /// let samples: InMemory<(D<1>,)> = table.classes("kind")?.into_samples()?;
    /// assert_eq!(samples.inputs(), [12500.0, 900.0]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    #[must_use]
    pub fn thousands(mut self, mark: char) -> Self {
        self.notation.thousands = Some(mark);
        self
    }

    /// The places of columns, which differ.
    fn places(&self, what: &str, columns: &[&str]) -> Result<Vec<usize>> {
        if let Some((_, twice)) =
            columns.iter().enumerate().find(|(i, name)| columns[..*i].contains(name))
        {
            let problem = format!("it is named twice among the {what}; expected each column once");
            return Err(Error::format(&self.path, format!("column `{twice}`"), problem));
        }
        columns.iter().map(|name| self.column(name)).collect()
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let all = self.columns.join(", ");
            let other =
                [';', '\t', ','].into_iter().find(|&c| self.columns.len() == 1 && all.contains(c));
            let advice = other.map_or(String::new(), |other| {
                format!(
                    "; Table::read_separated(path, {other:?}) reads a file with that between fields"
                )
            });
            let there = Listed(&self.columns);
            let problem = format!("there is no column `{name}`; there are {there}{advice}");
            Error::format(&self.path, "header", problem)
        })
    }

    /// That numbers can be read.
    fn check_notation(&self) -> Result<()> {
        self.notation.check().map_err(|problem| Error::format(&self.path, "marks", problem))
    }

    /// The error about a field that is not what it should be.
    fn refused(&self, row: &Row, column: usize, expected: &str) -> Error {
        let place = format!("line {}, field `{}`", row.line, self.columns[column]);
        let problem = format!("found {}, expected {expected}", Shown(&row.fields[column]));
        Error::format(&self.path, place, problem)
    }
}

impl Table {
    /// The samples' inputs alone: features of shape `X`, of a table without a column to predict.
    ///
    /// # Errors
    /// If `X` does not have as many elements as there are columns of features, a column that is encoded is no feature, or a
    /// field is not what it should be; the message has its line and name.
    pub fn into_inputs<X: SampleShape, E: Float>(self) -> Result<Unlabelled<X, E>> {
        let features = self.feature_columns(&[])?;
        self.check_encodings(&[&features])?;
        let (inputs, columns) = self.numbers::<X, E>("features", &features)?;
        Unlabelled::without_targets(inputs)?.with_columns(columns)
    }
}

impl Table<Classes> {
    /// The samples: features of shape `X`, and classes.
    ///
    /// # Errors
    /// If `X` does not have as many elements as there are columns of features, the class is one of them, a column that is
    /// encoded is no feature, or a field is not what it should be; the message has its line and name.
    pub fn into_samples<X: SampleShape, E: Float>(self) -> Result<InMemory<X, (), E, u32>> {
        let column = self.target.column;
        let features = self.feature_columns(&[column])?;
        self.check_encodings(&[&features])?;
        let (inputs, columns) = self.numbers::<X, E>("features", &features)?;
        let classes = match &self.target.names {
            Some(names) => names.clone(),
            None => words(&self, column)?,
        };
        let class = |row| self.class(row, &classes);
        let targets = self.rows.iter().map(class).collect::<Result<_>>()?;
        InMemory::new(inputs, targets)?.with_class_names(classes.names).with_columns(columns)
    }
}

impl Table<Values> {
    /// The samples: features of shape `X`, and targets of shape `Y`.
    ///
    /// # Errors
    /// If a shape does not have as many elements as there are columns for it, a target is a feature, too, a column that is
    /// encoded is none of these, or a field is not a number; the message has its line and name.
    pub fn into_samples<X: SampleShape, Y: SampleShape, E: Float>(
        self,
    ) -> Result<InMemory<X, Y, E, E>> {
        let features = self.feature_columns(&self.target.columns)?;
        self.check_encodings(&[&features, &self.target.columns])?;
        let (inputs, columns) = self.numbers::<X, E>("features", &features)?;
        let (targets, _) = self.numbers::<Y, E>("targets", &self.target.columns)?;
        InMemory::new(inputs, targets)?.with_columns(columns)
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
    let other =
        [';', '\t', ','].into_iter().find(|&mark| expected == 1 && columns[0].contains(mark));
    let detail = match (columns.get(found), other) {
        (_, Some(other)) => {
            format!("Table::read_separated(path, {other:?}) reads a file with that between fields")
        }
        (Some(missing), _) => format!("`{missing}` is missing"),
        (None, _) => format!("{} is one too many", Shown(&row[expected])),
    };
    let problem = format!("found {found} fields, expected {expected}: {detail}");
    Err(Error::format(path, format!("line {line}"), problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::D;

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
