//! The mean squared error gets class labels.
//! Fix: `CrossEntropy`, or targets of the output's shape.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,)>::new(vec![], vec![])?;
    Trainer::new(Mse, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
