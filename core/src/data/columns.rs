//! What the numbers of a sample are made of: the columns of a table, with their words and what stands for a field that is
//! missing. A data set and a model keep them, so that rows from elsewhere become the same numbers in the same order.

mod field;
mod json;

use std::collections::BTreeMap;
use std::fmt;

use super::names::check_names;
use crate::element::Float;
use crate::error::{Error, Result};

pub use self::field::Fill;
pub(crate) use self::field::Listed;
pub(super) use self::field::{Categories, Encoding, Notation, Refusal, Shown};

/// The columns that samples were made of, in the order of their numbers: of a column of numbers one, of a column of words
/// one for each word or one for all.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::data::{InMemory, Table};
/// use netform::dim::D;
/// # let path = std::env::temp_dir().join(format!("netform-doc-columns-{}", std::process::id()));
///
/// std::fs::write(&path, "km,fuel,sold\n90000,petrol,yes\n20000,diesel,no\n").unwrap();
/// let cars: InMemory<(D<3>,)> =
///     Table::read(&path)?.one_hot("fuel")?.classes("sold")?.into_samples()?;
/// let columns = cars.columns().unwrap();
/// assert_eq!(columns.names(), ["km", "fuel=diesel", "fuel=petrol"]);
///
/// // A row from elsewhere, by the names of the table's columns.
/// let car: Vec<f32> = columns.sample([("fuel", "diesel"), ("km", "50000")])?;
/// assert_eq!(car, [50000.0, 1.0, 0.0]);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    columns: Vec<Column>,
    /// Of each number.
    names: Vec<String>,
}

/// A column of a table as a part of samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub name: String,
    encoding: Encoding,
    /// What stands for a field that is missing; of a column of words one of them.
    fill: Option<Fill>,
}

impl Column {
    /// A column whose missing fields become `fill`, which has to be what its fields are.
    pub fn new(
        name: &str,
        encoding: Encoding,
        fill: Option<&Fill>,
    ) -> std::result::Result<Self, String> {
        let fill = match (&encoding, fill) {
            (_, None) => None,
            (Encoding::Number, Some(Fill::Number(x))) if x.is_finite() => Some(Fill::Number(*x)),
            (Encoding::Number, Some(fill)) => {
                return Err(format!(
                    "missing fields become {fill}, expected a finite number in a column of numbers; .one_hot({name:?}) takes it as a column of words"
                ));
            }
            (Encoding::OneHot(words) | Encoding::Ordinal(words), Some(fill)) => {
                let word = fill.word();
                if words.position(&word).is_none() {
                    let words = Listed(&words.names);
                    return Err(format!("missing fields become {fill}, expected one of {words}"));
                }
                Some(Fill::Word(word))
            }
        };
        Ok(Column { name: name.to_owned(), encoding, fill })
    }

    /// What its numbers are called.
    fn names(&self) -> Vec<String> {
        let name = &self.name;
        match &self.encoding {
            Encoding::OneHot(words) => {
                words.names.iter().map(|word| format!("{name}={word}")).collect()
            }
            Encoding::Number | Encoding::Ordinal(_) => vec![name.clone()],
        }
    }

    /// Appends the numbers that a field becomes.
    pub fn extend<E: Float>(
        &self,
        field: &str,
        notation: &Notation,
        numbers: &mut Vec<E>,
    ) -> std::result::Result<(), Refusal<'_>> {
        let fill = self.fill.as_ref().filter(|_| notation.is_missing(field));
        let place = |words: &Categories| {
            let word = fill.map_or_else(|| field.into(), Fill::word);
            words.position(&word)
        };
        match &self.encoding {
            Encoding::Number => {
                let number = match fill {
                    Some(Fill::Number(x)) => Some(*x),
                    _ => notation.number(field).filter(|x| x.is_finite()),
                };
                let number = E::from_f64(number.ok_or(Refusal::NoNumber)?);
                if !number.is_finite() {
                    return Err(Refusal::TooLarge(E::NAME));
                }
                numbers.push(number);
            }
            Encoding::OneHot(words) => {
                let at = place(words).ok_or(Refusal::NoWord(&words.names))?;
                let one = |i| if i == at { E::ONE } else { E::ZERO };
                numbers.extend((0..words.names.len()).map(one));
            }
            Encoding::Ordinal(words) => {
                let at = place(words).ok_or(Refusal::NoWord(&words.names))?;
                numbers.push(E::from_f64(at as f64));
            }
        }
        Ok(())
    }

    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    pub fn fill(&self) -> Option<&Fill> {
        self.fill.as_ref()
    }
}

impl Columns {
    /// Columns of numbers with these names, for samples that come from no table.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{Columns, Dataset, InMemory};
    /// use netform::dim::D;
    ///
    /// let points = InMemory::<(D<2>,)>::new(vec![0.1, 0.2], vec![0])?
    ///     .with_columns(Columns::numbers(["x", "y"])?)?;
    /// assert_eq!(points.feature_names(), ["x", "y"]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a name is empty or there twice.
    pub fn numbers(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let column = |name| Column { name, encoding: Encoding::Number, fill: None };
        Columns::of(names.into_iter().map(Into::into).map(column).collect())
    }

    /// Of columns whose names differ.
    pub(super) fn of(columns: Vec<Column>) -> Result<Self> {
        let tables: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        check_names("columns", &tables)?;
        let names = columns.iter().flat_map(Column::names).collect();
        Ok(Columns { columns, names })
    }

    /// What each number of a sample is, in their order: the name of its column, and of a column of words with a number for
    /// each, `fuel=diesel`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names of the table's columns.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    pub(super) fn each(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter()
    }

    /// Whether the same numbers mean the same, whatever stands for missing fields.
    pub(crate) fn mean_the_same(&self, other: &Columns) -> bool {
        let alike = |(a, b): (&Column, &Column)| a.name == b.name && a.encoding == b.encoding;
        self.columns.len() == other.columns.len() && self.each().zip(other.each()).all(alike)
    }

    /// What each number is, with the words of a column that has one number for all: `size (small, large)`.
    fn told(&self) -> Vec<String> {
        let told = |column: &Column| match &column.encoding {
            Encoding::Ordinal(words) => {
                vec![format!("{} ({})", column.name, words.names.join(", "))]
            }
            _ => column.names(),
        };
        self.columns.iter().flat_map(told).collect()
    }

    /// How many numbers a sample has.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether a sample has no numbers.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The numbers of one sample, of the texts of its fields by the names of their columns, in any order. A number has a
    /// point before its decimals. A field that is empty becomes what the table's [`fill`](super::Table::fill) was.
    ///
    /// # Errors
    /// If a field is missing that nothing stands for, is of no column, is there twice, or is not what it should be.
    pub fn sample<E, K, V>(&self, fields: impl IntoIterator<Item = (K, V)>) -> Result<Vec<E>>
    where
        E: Float,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut given = BTreeMap::new();
        for (name, text) in fields {
            let name = name.as_ref();
            let Some(place) = self.columns().position(|column| column == name) else {
                let all =
                    Listed(&self.columns().map(str::to_owned).collect::<Vec<_>>()).to_string();
                return Err(invalid(name, format!("there is no such column; there are {all}")));
            };
            if given.insert(place, text).is_some() {
                return Err(invalid(name, "it is there twice, expected one field".to_owned()));
            }
        }
        let notation = Notation::default();
        let mut numbers = Vec::with_capacity(self.len());
        for (place, column) in self.columns.iter().enumerate() {
            let text = given.get(&place).ok_or_else(|| {
                let problem = "it is not among the fields; expected it, as an empty text where nobody knows it";
                invalid(&column.name, problem.to_owned())
            })?;
            let text = text.as_ref().trim();
            column.extend(text, &notation, &mut numbers).map_err(|refusal| {
                let found = Shown(text);
                let mark = match refusal {
                    Refusal::NoNumber if text.contains(',') => ", with a point before its decimals",
                    _ => "",
                };
                invalid(&column.name, format!("found {found}, expected {refusal}{mark}"))
            })?;
        }
        Ok(numbers)
    }
}

/// The error about a field of a sample.
fn invalid(column: &str, problem: String) -> Error {
    Error::Invalid(format!("field `{column}` of a sample: {problem}"))
}

impl fmt::Display for Columns {
    /// What the first ten numbers are, and how many more there are: `km`, `fuel=diesel`, `fuel=petrol`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Listed(&self.told()).fmt(f)
    }
}
