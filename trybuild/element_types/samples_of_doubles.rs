//! A model of `f32` is asked about rows of `f64`.
//! Fix: Rows of `f32`, as by `x as f32`.

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
    let measured: Vec<Vec<f64>> = vec![vec![5.1, 3.5, 1.4, 0.2]];
    println!("{:?}", model.predict(&measured)?);
    Ok(())
}
