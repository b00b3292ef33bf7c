//! From the fields of a table to the numbers of samples.

use super::{Classes, Listed, Row, Table};
use crate::data::Columns;
use crate::data::columns::{Categories, Column, Encoding, Refusal};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::SampleShape;

impl<T> Table<T> {
    /// Takes the features as the samples with these columns did: the same ones in the same order, with their words, and
    /// with what stood for missing fields, where something did. So a table of further samples, or of rows to predict, becomes the same numbers,
    /// whichever order its columns have.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Table, Unlabelled};
    /// use netform::dim::D;
    /// # let path = std::env::temp_dir().join(format!("netform-doc-like-{}", std::process::id()));
    ///
    /// std::fs::write(&path, "km,fuel,sold\n90000,petrol,yes\n20000,diesel,no\n").unwrap();
    /// let cars: InMemory<(D<3>,)> =
    ///     Table::read(&path)?.one_hot("fuel")?.classes("sold")?.into_samples()?;
    ///
    /// std::fs::write(&path, "owner,fuel,km\nAnn,diesel,50000\n").unwrap();
    /// let columns = cars.columns().unwrap();
    /// let new: Unlabelled<(D<3>,)> = Table::read(&path)?.with_columns(columns)?.into_inputs()?;
    /// assert_eq!(new.inputs(), [50000.0, 1.0, 0.0]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the table lacks one of the columns. `into_inputs` and `into_samples` refuse a word that the column did not have.
    pub fn with_columns(mut self, columns: &Columns) -> Result<Self> {
        let mut features = Vec::new();
        for column in columns.each() {
            let place = self.column(&column.name)?;
            features.push(place);
            self.encodings.remove(&place);
            if *column.encoding() != Encoding::Number {
                self.encodings.insert(place, column.encoding().clone());
            }
            self.fills.extend(column.fill().map(|fill| (place, fill.clone())));
        }
        self.features = Some(features);
        Ok(self)
    }

    /// The columns of features, given the targets'.
    pub(super) fn feature_columns(&self, targets: &[usize]) -> Result<Vec<usize>> {
        let Some(features) = &self.features else {
            return Ok((0..self.columns.len()).filter(|it| !targets.contains(it)).collect());
        };
        match features.iter().find(|column| targets.contains(column)) {
            None => Ok(features.clone()),
            Some(&column) => Err(Error::format(
                &self.path,
                format!("column `{}`", self.columns[column]),
                "it is a feature and a target: a network that is told the answer has nothing to learn; leave it out of the features",
            )),
        }
    }

    /// The columns as parts of samples.
    fn parts(&self, columns: &[usize]) -> Result<Vec<Column>> {
        self.check_notation()?;
        if let Some(column) = columns.iter().find(|column| self.columns[**column].is_empty()) {
            let problem = format!(
                "column {} has no name, as the rows' numbers that pandas writes: name it in the file, or choose columns by `.features(&[..])`",
                column + 1
            );
            return Err(Error::format(&self.path, "header", problem));
        }
        let part = |&column: &usize| {
            let encoding = self.encodings.get(&column).unwrap_or(&Encoding::Number).clone();
            let name = &self.columns[column];
            Column::new(name, encoding, self.fills.get(&column))
                .map_err(|problem| Error::format(&self.path, format!("column `{name}`"), problem))
        };
        columns.iter().map(part).collect()
    }

    /// The fields of the columns as numbers, row by row, and what they were made of.
    pub(super) fn numbers<S: SampleShape, E: Float>(
        &self,
        what: &str,
        places: &[usize],
    ) -> Result<(Vec<E>, Columns)> {
        let columns = Columns::of(self.parts(places)?)?;
        if columns.len() != S::NUMEL {
            return Err(Error::Size {
                what: format!("{what} of shape {} from {}", S::describe(), self.path.display()),
                expected: format!("{} columns", S::NUMEL),
                found: format!(
                    "{} ({}); `D<{0}>` here and {0} in the network take them all, `.features(&[..])` and `.targets(&[..])` choose some",
                    columns.len(),
                    Listed(columns.names())
                ),
            });
        }
        let mut numbers = Vec::with_capacity(self.rows.len() * columns.len());
        for row in &self.rows {
            for (column, &place) in columns.each().zip(places) {
                column
                    .extend(&row.fields[place], &self.notation, &mut numbers)
                    .map_err(|refusal| self.refusal(row, place, &refusal))?;
            }
        }
        Ok((numbers, columns))
    }

    /// The error about a field that becomes no number.
    fn refusal(&self, row: &Row, column: usize, refusal: &Refusal<'_>) -> Error {
        match refusal {
            Refusal::NoNumber => self.no_number(row, column),
            Refusal::TooLarge(_) => self.refused(row, column, &refusal.to_string()),
            Refusal::NoWord(_) => {
                let advice = self.missing_word(row, column);
                self.refused(row, column, &format!("{refusal}{advice}"))
            }
        }
    }

    /// That every column whose words become numbers is among those that are used.
    pub(super) fn check_encodings(&self, used: &[&[usize]]) -> Result<()> {
        let is_used = |column: &usize| used.iter().any(|columns| columns.contains(column));
        match self.encodings.keys().find(|column| !is_used(column)) {
            None => Ok(()),
            Some(&column) => Err(Error::format(
                &self.path,
                format!("column `{}`", self.columns[column]),
                "its names were to become numbers, but it is neither a feature nor a target that is a number; add it to the features, or leave out what encodes it",
            )),
        }
    }
}

impl Table<Classes> {
    /// The class of a row.
    pub(super) fn class(&self, row: &Row, classes: &Categories) -> Result<u32> {
        let column = self.target.column;
        let place = classes.position(&self.word(row, column));
        let refusal = Refusal::NoWord(&classes.names);
        place.map(|class| class as u32).ok_or_else(|| self.refusal(row, column, &refusal))
    }
}
