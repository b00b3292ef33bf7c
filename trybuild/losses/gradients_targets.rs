//! Targets of another shape than the output are given to `value_and_gradients`.
//! Fix: Targets of the output's shape.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let x = Tensor::<(Batch, D<784>)>::from_vec(vec![0.0; 784])?;
    let y = Tensor::<(Batch, D<12>)>::from_vec(vec![0.0; 12])?;
    net.value_and_gradients(&CrossEntropy, &x, &y)?;
    Ok(())
}
