//! The weight of a layer is annotated with its axes exchanged.
//! Fix: `(D<10>, D<784>)`: outputs first.

use netform::prelude::*;

network! {
    /// A network.
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let net = Mlp::new(Seed(1));
    let weight: Tensor<(D<784>, D<10>)> = net.fc1().weight()?;
    println!("{weight}");
    Ok(())
}
