//! The second of two inputs has the shape of the first.
//! Fix: Give each input a tensor of its own shape, in the order of the declaration.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Pair: (x: [3], y: [2]) -> [4] {
        let a = Linear(4);
        let b = Linear(4);
        a(x) + b(y)
    }
}

fn main() -> netform::Result<()> {
    let net = Pair::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.0; 6])?;
    net.forward(&x, &x)?;
    Ok(())
}
