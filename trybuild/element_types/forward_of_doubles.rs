//! A tensor of `f64` is given to a network of `f32`.
//! Fix: A tensor of `f32`, or a network of `f64`.
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
    let x = Tensor::<(Batch, D<784>), f64>::from_vec(vec![0.0; 784])?;
    net.forward(&x)?;
    Ok(())
}
