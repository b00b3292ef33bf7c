//! The cross entropy gets a number for each sample, and no class.
//! Fix: `.classes(..)` for the target, or `Mse` and a network of one output.

use netform::data::Table;
use netform::prelude::*;

network! {
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

fn main() -> netform::Result<()> {
    let flowers: InMemory<(D<4>,), (D<1>,), f32, f32> =
        Table::read("iris.csv")?.targets(&["petal_width"])?.into_samples()?;
    let mut net = Iris::new(Seed(1));
    Trainer::new(CrossEntropy, Adam::new(1e-2)).fit(&mut net, &flowers)?;
    Ok(())
}
