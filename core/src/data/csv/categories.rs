//! Fields that are words: classes, and columns of features that are not numbers.

use std::borrow::Cow;

use super::{Row, Table};
use crate::data::columns::{Categories, Encoding};
use crate::error::{Error, Result};

/// What tables write, in small letters, where nothing is known.
const MISSING: &[&str] = &["?", "na", "n/a", "nan", "null", "none", "-", "--", "."];

/// The words of a column: every field once, in ascending order; by size where all are numbers.
///
/// # Errors
/// If a field is missing that nothing stands for.
pub(super) fn words<T>(table: &Table<T>, column: usize) -> Result<Categories> {
    table.check_notation()?;
    let mut names = Vec::new();
    for row in &table.rows {
        let word = table.word(row, column);
        if table.notation.is_missing(&word) {
            let advice = table.missing_word(row, column);
            return Err(table.refused(row, column, &format!("a word{advice}")));
        }
        names.push(word);
    }
    names.sort_unstable();
    names.dedup();
    let numbers: Option<Vec<f64>> = names.iter().map(|name| table.notation.number(name)).collect();
    if let Some(numbers) = numbers {
        let mut numbered: Vec<_> = numbers.into_iter().zip(names).collect();
        numbered.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some(pair) = numbered.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let place = format!("column `{}`", table.columns[column]);
            let problem = format!(
                "found `{}` and `{}`, which are the same number; expected each to be written in one way",
                pair[0].1, pair[1].1
            );
            return Err(Error::format(&table.path, place, problem));
        }
        names = numbered.into_iter().map(|(_, name)| name).collect();
    }
    Categories::new(&table.columns[column], &names)
}

impl<T> Table<T> {
    /// A field as a word, or what stands for it.
    pub(super) fn word<'t>(&'t self, row: &'t Row, column: usize) -> Cow<'t, str> {
        let field = &row.fields[column];
        match self.fills.get(&column) {
            Some(fill) if self.notation.is_missing(field) => fill.word().into(),
            _ => field.into(),
        }
    }

    /// What to do where a word is missing; nothing where one is there.
    pub(super) fn missing_word(&self, row: &Row, column: usize) -> String {
        let field = &row.fields[column];
        if !self.notation.is_missing(field) {
            return match MISSING.contains(&field.to_lowercase().as_str()) {
                true => format!("; .missing_as(&[{field:?}]) takes it for missing"),
                false => String::new(),
            };
        }
        format!(
            "; .drop_missing() leaves out such rows, .fill({:?}, \"unknown\") puts a word there",
            self.columns[column]
        )
    }

    /// Takes a column of names as features: as many numbers as there are names, 1 for a field's own name and 0 for the
    /// others, in the order of [`Table::categories`].
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Table};
    /// use netform::dim::D;
    /// # let path = std::env::temp_dir().join(format!("netform-doc-hot-{}", std::process::id()));
    ///
    /// std::fs::write(&path, "colour;size;price\nred;small;3\nblue;large;5\n").unwrap();
    /// let table = Table::read_separated(&path, ';')?;
    /// let goods: InMemory<(D<3>,), (D<1>,), f32, f32> = table
    ///     .one_hot("colour")?
    ///     .ordinal("size", &["small", "medium", "large"])?
    ///     .targets(&["price"])?
    ///     .into_samples()?;
    /// // blue, red, size
    /// assert_eq!(goods.inputs(), [0.0, 1.0, 0.0, 1.0, 0.0, 2.0]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such column, or one of its fields is empty.
    #[doc(alias = "get_dummies")]
    pub fn one_hot(mut self, column: &str) -> Result<Self> {
        let column = self.column(column)?;
        let categories = words(&self, column)?;
        self.encodings.insert(column, Encoding::OneHot(categories));
        Ok(self)
    }

    /// [`Table::one_hot`] with the names that there are: a test set needs those of its training set, also where one of
    /// them does not occur.
    ///
    /// # Errors
    /// If there is no such column, or a name is empty or there twice. `into_samples` refuses a field that is not one of
    /// the names.
    pub fn one_hot_named<S: AsRef<str>>(mut self, column: &str, names: &[S]) -> Result<Self> {
        let categories = Categories::new(column, names)?;
        let column = self.column(column)?;
        self.encodings.insert(column, Encoding::OneHot(categories));
        Ok(self)
    }

    /// Takes a column of names that have an order as one feature, the place of the name: 0 for the first.
    ///
    /// # Errors
    /// If there is no such column, or a name is empty or there twice. `into_samples` refuses a field that is not one of
    /// the names.
    pub fn ordinal<S: AsRef<str>>(mut self, column: &str, names: &[S]) -> Result<Self> {
        let categories = Categories::new(column, names)?;
        let column = self.column(column)?;
        self.encodings.insert(column, Encoding::Ordinal(categories));
        Ok(self)
    }

    /// The names in a column: every field once, in ascending order, numbers by size.
    ///
    /// # Errors
    /// If there is no such column, or one of its fields is empty.
    pub fn categories(&self, column: &str) -> Result<Vec<String>> {
        Ok(words(self, self.column(column)?)?.names)
    }
}
