//! Two inputs of a network have batches of different sizes.
//! Fix: Batches of one size.

use netform::prelude::*;

network! {
    /// A network.
    pub Pair: (x: [3], y: [3]) -> [3] { x + y }
}

fn main() -> netform::Result<()> {
    let net = Pair::new(Seed(1));
    let x = Tensor::<(D<4>, D<3>)>::from_vec(vec![0.0; 12])?;
    let y = Tensor::<(D<2>, D<3>)>::from_vec(vec![0.0; 6])?;
    net.forward(&x, &y)?;
    Ok(())
}
