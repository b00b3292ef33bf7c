//! A predictor gets a batch of another shape.
//! Fix: A batch of the network's samples, `(Batch, D<784>)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let x = Tensor::<(Batch, D<100>)>::from_vec(vec![0.0; 100])?;
    net.predictor(1)?.run(&x)?;
    Ok(())
}
