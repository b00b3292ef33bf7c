//! A batch of images is given to a network of flat vectors.
//! Fix: `x.reshape::<(Batch, D<784>)>()`, or declare the network as `[1, 28, 28]` and begin with `Flatten`.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let x = Tensor::<(Batch, D<1>, D<28>, D<28>)>::from_vec(vec![0.0; 784])?;
    net.forward(&x)?;
    Ok(())
}
