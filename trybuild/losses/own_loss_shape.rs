//! A loss of one's own takes other shapes than the network yields.
//! Fix: Declare it for the shape of the outputs, or for any: `distance<N>(y: [N], t: [N])`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }

    pub fn distance(y: [3], t: [3]) -> [] {
        sum(abs(y - t))
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,), (D<10>,), f32, f32>::new(vec![0.0; 784], vec![0.0; 10])?;
    Trainer::new(distance, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
