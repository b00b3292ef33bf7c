//! A data set is given to `predict`.
//! Fix: `model.predict_data(&flowers)`.

use netform::data::Table;
use netform::model::Classifier;
use netform::prelude::*;

network! {
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

fn main() -> netform::Result<()> {
    let flowers: InMemory<(D<4>,)> =
        Table::read("iris.csv")?.classes("species")?.into_samples()?;
    let model = Classifier::new(Iris::new(Seed(1)), ["setosa", "versicolor", "virginica"])?;
    println!("{:?}", model.predict(&flowers)?);
    Ok(())
}
