//! Models that know which columns their inputs are made of: rows of tables, in whichever order, become the same numbers.

use super::file::check_columns;
use super::{Model, Task};
use crate::data::{Columns, Dataset, Table};
use crate::error::{Error, Result};
use crate::module::Module;
use crate::network::Network;
use crate::shape::SampleShape;

impl<N, T> Model<N, T>
where
    N: Network<InputElement = <N as Module>::Elem>,
    T: Task<N>,
{
    /// Keeps which columns of a table inputs are made of, with their words and what stands for missing fields, as `data` knows
    /// them from its [`Table`]: [`Model::predict_table`] needs them, and they are in the model's file.
    ///
    /// # Errors
    /// If `data` does not know its columns, or they make not as many numbers as an input has.
    pub fn columns_of<D: Dataset>(mut self, data: &D) -> Result<Self> {
        let columns = data.columns().ok_or_else(|| {
            Error::Invalid("the data set does not know the columns of its inputs: one that a table was made into does, and `InMemory::with_columns` gives them to another".to_owned())
        })?;
        check_columns::<N>(columns)?;
        self.columns = Some(columns.clone());
        Ok(self)
    }

    /// What the model says of each row of a table, in their order. The table may have the columns in any order, and others.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Cars: [3] -> [2] { fc1: Linear(8), Relu, fc2: Linear(2) } }
    /// # fn main() -> netform::error::Result<()> {
    /// use netform::data::{InMemory, Table};
    /// use netform::dim::D;
    /// use netform::model::Classifier;
    /// # use netform::{random::Seed, loss::CrossEntropy, optim::Adam, train::Trainer};
    /// # let path = std::env::temp_dir().join(format!("netform-doc-predict-table-{}", std::process::id()));
    /// # std::fs::write(&path, "km,fuel,sold\n9,petrol,yes\n2,diesel,no\n").unwrap();
    ///
    /// // km, fuel, sold
    /// let cars: InMemory<(D<3>,)> =
    ///     Table::read(&path)?.one_hot("fuel")?.classes("sold")?.into_samples()?;
    /// let mut net = Cars::new(Seed(1));
    /// Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(5).fit(&mut net, &cars)?;
    /// let model = Classifier::new(net, cars.class_names())?.columns_of(&cars)?;
    ///
    /// # std::fs::write(&path, "owner,fuel,km\nAnn,diesel,5\n").unwrap();
    /// // owner, fuel, km
    /// for car in model.predict_table(Table::read(&path)?)? {
    ///     println!("{car}");
    /// }
    /// let car = model.predict_fields([("fuel", "diesel"), ("km", "5")])?;
    /// assert!(["yes", "no"].contains(&car.name()));
    /// # std::fs::remove_file(path).ok();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the model knows no columns, the table lacks one of them or has a field that is not what it should be; as
    /// [`Model::predict`].
    pub fn predict_table(&self, table: Table) -> Result<Vec<T::Prediction>> {
        let table = table.with_columns(self.known_columns()?)?;
        let inputs = table.into_inputs::<N::Input, N::Elem>()?;
        self.predict(inputs.inputs().chunks(N::Input::NUMEL.max(1)))
    }

    /// What the model says of one sample, given as the texts of its fields by the names of their columns, in any order.
    ///
    /// # Errors
    /// If the model knows no columns, or a field is missing, is of none of them, or is not what it should be; as
    /// [`Model::predict`].
    pub fn predict_fields<K, V>(
        &self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Result<T::Prediction>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let sample: Vec<N::Elem> = self.known_columns()?.sample(fields)?;
        let mut predictions = self.predict([sample])?;
        // One sample has one prediction.
        Ok(predictions.remove(0))
    }

    fn known_columns(&self) -> Result<&Columns> {
        self.columns.as_ref().ok_or_else(|| {
            Error::Invalid(format!(
                "the model of network `{}` does not know the columns of its inputs: make it with `.columns_of(&data)`, of the samples that a table was made into, and save it again",
                N::NAME
            ))
        })
    }
}

impl<N: Network, T: Task<N>> Model<N, T> {
    /// The columns that inputs are made of, where they are known.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// That the inputs of a data set are made of the same columns, as far as both know them, and were not scaled already.
    pub(super) fn check_inputs<D: Dataset>(&self, data: &D) -> Result<()> {
        if self.scaling.is_some() && data.is_scaled() == Some(true) {
            return Err(Error::Invalid(format!(
                "the inputs of the data set were scaled already, and the model of network `{}` scales what it is given: expected them as they were measured; `evaluate` and `measure` take scaled samples, with `model.net()`",
                N::NAME
            )));
        }
        match (&self.columns, data.columns()) {
            (Some(own), Some(columns)) if !own.mean_the_same(columns) => {
                Err(Error::Invalid(format!(
                    "the inputs of the data set are {columns}, those of the model {own}; expected the same in the same order: `predict_table` takes them from a table by their names"
                )))
            }
            _ => Ok(()),
        }
    }
}
