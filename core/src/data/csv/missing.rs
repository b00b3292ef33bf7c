//! Fields that are missing: which they are, and what is done about them.

use super::{Row, Shown, Table, Targets};
use crate::data::Fill;
use crate::error::{Error, Result};

impl<T: Targets> Table<T> {
    /// Takes fields with one of these texts for missing, as empty ones are: `"NA"`, `"?"`. It goes before anything that
    /// looks at fields.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Table};
    /// use netform::dim::D;
    /// # let path = std::env::temp_dir().join(format!("netform-doc-missing-{}", std::process::id()));
    ///
    /// std::fs::write(&path, "age,fuel,sold\n1,petrol,no\nNA,diesel,yes\n3,?,yes\n").unwrap();
    /// let cars: InMemory<(D<4>,)> = Table::read(&path)?
    ///     .missing_as(&["NA", "?"])
    ///     .fill_mean("age")?
    ///     .fill("fuel", "unknown")?
    ///     .one_hot("fuel")?
    ///     .classes("sold")?
    ///     .into_samples()?;
    /// // age, diesel, petrol, unknown
    /// assert_eq!(cars.inputs()[4..], [2.0, 1.0, 0.0, 0.0, /* */ 3.0, 0.0, 0.0, 1.0]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    #[doc(alias = "na_values")]
    #[must_use]
    pub fn missing_as(mut self, texts: &[&str]) -> Self {
        self.notation.missing.extend(texts.iter().map(|text| text.trim().to_owned()));
        self
    }

    /// Leaves out the rows in which a field is missing that nothing was to stand for: of the features, where
    /// [`Table::features`] has chosen them, and of the target, where it is known, else of any column. [`Table::len`] says how
    /// many rows are left.
    ///
    /// # Errors
    /// If no row is left.
    #[doc(alias = "dropna")]
    pub fn drop_missing(mut self) -> Result<Self> {
        let all = self.rows.len();
        let looked_at: Vec<usize> = match &self.features {
            Some(features) => features.iter().chain(self.target.places()).copied().collect(),
            None => (0..self.columns.len()).collect(),
        };
        let (fills, notation) = (&self.fills, &self.notation);
        let lacks = |row: &Row, column: &usize| {
            notation.is_missing(&row.fields[*column]) && !fills.contains_key(column)
        };
        self.rows.retain(|row| looked_at.iter().all(|column| !lacks(row, column)));
        if self.rows.is_empty() {
            let problem = format!(
                "each of the {all} rows lacks a field, expected one that does not; .fill(column, ..) or .fill_mean(column) puts something in place of a column's missing fields, a file without that column needs neither"
            );
            return Err(Error::format(&self.path, "all rows", problem));
        }
        Ok(self)
    }

    /// Puts a number or a word in place of a column's missing fields: `.fill("age", 0.0)`, `.fill("fuel", "unknown")`. It
    /// goes before [`Table::one_hot`], which then has the word among the others. Rows that a model reads are filled so, too.
    ///
    /// # Errors
    /// If there is no such column. `into_samples` refuses a word in a column of numbers, and a word that a column may not
    /// have.
    #[doc(alias = "fillna")]
    #[doc(alias = "impute")]
    pub fn fill(mut self, column: &str, with: impl Into<Fill>) -> Result<Self> {
        let column = self.column(column)?;
        self.fills.insert(column, with.into());
        Ok(self)
    }

    /// [`Table::fill`] with the mean of the numbers that are there: of the whole table, also of rows that become test samples.
    /// Read these from a table of their own, [`Table::with_columns`], where that matters.
    ///
    /// # Errors
    /// If there is no such column, or a field that is there is no finite number, or none is there.
    pub fn fill_mean(self, column: &str) -> Result<Self> {
        let numbers = self.there(column)?;
        let count = numbers.len() as f64;
        let mean = numbers.iter().map(|x| x / count).sum::<f64>();
        self.fill(column, mean)
    }

    /// [`Table::fill`] with the median of the numbers that are there: of an even number of them the mean of the two in the
    /// middle.
    ///
    /// # Errors
    /// As [`Table::fill_mean`].
    pub fn fill_median(self, column: &str) -> Result<Self> {
        let mut numbers = self.there(column)?;
        numbers.sort_by(f64::total_cmp);
        let half = numbers.len() / 2;
        let middle = match numbers.len() % 2 {
            0 => numbers[half - 1] / 2.0 + numbers[half] / 2.0,
            _ => numbers[half],
        };
        self.fill(column, middle)
    }

    /// The numbers of a column that are there, at least one.
    fn there(&self, column: &str) -> Result<Vec<f64>> {
        self.check_notation()?;
        let column = self.column(column)?;
        let rows = self.rows.iter().filter(|row| !self.notation.is_missing(&row.fields[column]));
        let numbers = rows.map(|row| {
            let number = self.notation.number(&row.fields[column]).filter(|x| x.is_finite());
            number.ok_or_else(|| self.no_number(row, column))
        });
        let numbers: Vec<f64> = numbers.collect::<Result<_>>()?;
        if numbers.is_empty() {
            let place = format!("column `{}`", self.columns[column]);
            let problem = "found no number that is there, expected one at least; .features(&[..]) names the columns to use without it";
            return Err(Error::format(&self.path, place, problem));
        }
        Ok(numbers)
    }
}

impl<T> Table<T> {
    /// The error about a field that is no finite number.
    pub(super) fn no_number(&self, row: &Row, column: usize) -> Error {
        let advice = self.advice(&row.fields[column], column);
        self.refused(row, column, &format!("a finite number; {advice}"))
    }

    /// What to do about a field that is no finite number.
    fn advice(&self, field: &str, column: usize) -> String {
        let name = &self.columns[column];
        if self.notation.is_missing(field) {
            return format!(
                ".drop_missing() leaves out such rows, .fill({name:?}, 0.0) or .fill_mean({name:?}) puts a number there"
            );
        }
        if let Some(marks) = self.marks(column, field) {
            return marks;
        }
        let is_number = |field: &str| self.notation.number(field).is_some_and(f64::is_finite);
        if self.rows.iter().any(|row| is_number(&row.fields[column])) {
            return format!(
                "there are numbers in this column: correct the field, or take such a one for missing, .missing_as(&[{}])",
                Shown(field).to_string().replace('`', "\"")
            );
        }
        format!(
            "for a column of words, .one_hot({name:?}) makes numbers of them, .classes({name:?}) takes them as what is to be told apart, and .features(&[..]) names the columns to use without it"
        )
    }

    /// Which marks of decimals or thousands would make a number of a field, looking at the others of its column, too.
    fn marks(&self, column: usize, field: &str) -> Option<String> {
        let comma = |x: &char| if *x == '.' { ',' } else { '.' };
        let other = comma(&self.notation.decimal);
        let reads = |decimal, thousands| {
            let notation = super::Notation { decimal, thousands, ..self.notation.clone() };
            let fields = self.rows.iter().map(|row| &row.fields[column]);
            notation.number(field).is_some_and(f64::is_finite)
                && fields
                    .filter(|field| !notation.is_missing(field))
                    .all(|field| notation.number(field).is_some())
        };
        let decimals = format!("Table::decimal({other:?})");
        let groups = format!("Table::thousands({other:?})");
        let both = format!("{decimals} and .thousands({:?})", self.notation.decimal);
        Some(match () {
            () if reads(other, None) && reads(self.notation.decimal, Some(other)) => format!(
                "{groups} reads it as {}, with marks between thousands, and {decimals} as {}, with decimals",
                field.replace(other, ""),
                field.replace(other, "."),
            ),
            () if reads(other, None) => format!("{decimals} reads numbers such as this one"),
            () if reads(self.notation.decimal, Some(other)) => {
                format!("{groups} reads numbers such as this one, with marks between thousands")
            }
            () if reads(other, Some(self.notation.decimal)) => {
                format!("{both} read numbers such as this one")
            }
            () => return None,
        })
    }
}
