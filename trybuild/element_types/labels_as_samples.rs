//! Integers are the samples of a network of floats.
//! Fix: Floats, or `u32[16]` as the network's input.

use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [16] -> [10] {
        fc1: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<16>,), (), u32>::new(vec![0; 16], vec![1])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
