//! The data for validation have another shape than the network takes.
//! Fix: The same shape as the data for training.
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
    let test = InMemory::<(D<100>,)>::new(vec![], vec![])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).validate(&test).fit(&mut net, &train)?;
    Ok(())
}
