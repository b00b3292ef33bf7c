//! Targets have 12 classes, and the network yields 10.
//! Fix: One number of classes in both.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,), (D<12>,), f32, f32>::new(vec![], vec![])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
