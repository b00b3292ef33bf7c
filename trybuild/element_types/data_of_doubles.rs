//! Data of `f64` are given to a network of `f32`.
//! Fix: Load them as `f32`, or make a network of `f64`: `Mlp::<f64>::on(Cpu::default(), seed)`.
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
    let train = InMemory::<(D<784>,), (), f64>::new(vec![], vec![])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
