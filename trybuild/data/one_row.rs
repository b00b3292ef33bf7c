//! A model is asked about one row, and not about a list of rows.
//! Fix: `model.predict([[5.1, 3.5, 1.4, 0.2]])`, a list of one row.

use netform::model::Classifier;
use netform::prelude::*;

network! {
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

fn main() -> netform::Result<()> {
    let model = Classifier::new(Iris::new(Seed(1)), ["setosa", "versicolor", "virginica"])?;
    for flower in model.predict([5.1, 3.5, 1.4, 0.2])? {
        println!("{flower}");
    }
    Ok(())
}
