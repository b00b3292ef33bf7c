//! The result of `forward` is annotated with another shape.
//! Fix: The network's output, `(Batch, D<10>)`.

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
    let y: Tensor<(Batch, D<12>)> = net.forward(&x)?;
    println!("{y:?}");
    Ok(())
}
