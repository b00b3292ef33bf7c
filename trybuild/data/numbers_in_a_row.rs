//! A model is asked about numbers that are not cut into rows.
//! Fix: `model.predict(measured.chunks(4))`.

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
    let measured: Vec<f32> = vec![5.1, 3.5, 1.4, 0.2, 6.0, 3.0, 4.8, 1.8];
    println!("{:?}", model.predict(&measured)?);
    Ok(())
}
