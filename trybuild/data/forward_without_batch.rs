//! One sample is given without a batch axis.
//! Fix: A tensor of shape `(Batch, D<784>)`, with a batch of 1.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let x = Tensor::<(D<784>,)>::from_vec(vec![0.0; 784])?;
    net.forward(&x)?;
    Ok(())
}
