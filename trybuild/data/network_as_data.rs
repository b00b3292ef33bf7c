//! A network is given where data are taken.
//! Fix: `.validate(&flowers)`, a data set.

use netform::prelude::*;

network! {
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

fn main() -> netform::Result<()> {
    let net = Iris::new(Seed(1));
    let _ = Trainer::new(CrossEntropy, Adam::new(1e-2)).validate(&net);
    Ok(())
}
