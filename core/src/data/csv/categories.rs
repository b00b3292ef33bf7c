//! Fields that are names: classes, and columns of features that are not numbers.

use std::collections::BTreeMap;

use super::text::Listed;
use super::{Row, Table, parse};
use crate::data::check_names;
use crate::element::Float;
use crate::error::Result;

/// The names that the fields of a column may have, in their order.
#[derive(Clone, Debug)]
pub(super) struct Categories {
    pub names: Vec<String>,
    positions: BTreeMap<String, usize>,
}

impl Categories {
    /// Of names for the fields of `column`, which differ.
    pub fn new<S: AsRef<str>>(column: &str, names: &[S]) -> Result<Self> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        check_names(&format!("column `{column}`"), &names)?;
        let positions = names.iter().cloned().zip(0..).collect();
        Ok(Categories { names, positions })
    }

    /// Those of a column: every field once, in ascending order; by size where all are numbers.
    pub fn of<T>(table: &Table<T>, column: usize) -> Result<Self> {
        let mut names = Vec::new();
        for row in &table.rows {
            match &row.fields[column] {
                "" => return Err(table.refused(row, column, "the name of a class")),
                name => names.push(name),
            }
        }
        names.sort_unstable();
        names.dedup();
        let numbers: Option<Vec<f64>> =
            names.iter().map(|name| parse(name, table.decimal)).collect();
        if let Some(numbers) = numbers {
            let mut numbered: Vec<_> = numbers.into_iter().zip(names).collect();
            numbered.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            names = numbered.into_iter().map(|(_, name)| name).collect();
        }
        Categories::new(&table.columns[column], &names)
    }

    /// The place of a row's field among the names.
    pub fn position<T>(&self, table: &Table<T>, row: &Row, column: usize) -> Result<usize> {
        self.positions
            .get(&row.fields[column])
            .copied()
            .ok_or_else(|| table.refused(row, column, &format!("one of {}", Listed(&self.names))))
    }
}

/// What the fields of a column of names become.
#[derive(Clone, Debug)]
pub(super) enum Encoding {
    /// A number for each name, 1 for the field's own and 0 for the others.
    OneHot(Categories),
    /// The place among the names.
    Ordinal(Categories),
}

impl Encoding {
    /// What the numbers of the column `name` are called.
    pub fn columns(&self, name: &str) -> Vec<String> {
        match self {
            Encoding::OneHot(categories) => {
                categories.names.iter().map(|category| format!("{name}={category}")).collect()
            }
            Encoding::Ordinal(_) => vec![name.to_owned()],
        }
    }

    /// Appends the numbers of a row's field.
    pub fn extend<T, E: Float>(
        &self,
        table: &Table<T>,
        row: &Row,
        column: usize,
        numbers: &mut Vec<E>,
    ) -> Result<()> {
        match self {
            Encoding::OneHot(categories) => {
                let at = categories.position(table, row, column)?;
                let one = |i| if i == at { E::ONE } else { E::ZERO };
                numbers.extend((0..categories.names.len()).map(one));
            }
            Encoding::Ordinal(categories) => {
                let at = categories.position(table, row, column)?;
                numbers.push(E::from_f64(at as f64));
            }
        }
        Ok(())
    }
}

impl<T> Table<T> {
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
    pub fn one_hot(mut self, column: &str) -> Result<Self> {
        let column = self.column(column)?;
        let categories = Categories::of(&self, column)?;
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
        Ok(Categories::of(self, self.column(column)?)?.names)
    }
}
