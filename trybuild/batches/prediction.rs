//! The batch of a prediction is annotated as constant.
//! Fix: `(Batch, D<10>)`, as the input has it.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let x = Tensor::<(Batch, D<784>)>::from_vec(vec![0.0; 784])?;
    let y: Tensor<(D<1>, D<10>)> = net.forward(&x)?;
    println!("{y}");
    Ok(())
}
