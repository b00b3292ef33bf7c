//! Inputs are given in another order than declared.
//! Fix: The order of the declaration.

use netform::prelude::*;

network! {
    pub Pair: (x: [3], labels: u32[]) -> [] {
        let fc = Linear(4);
        sum(fc(x)) - gather(fc(x), labels)
    }
}

fn main() -> netform::Result<()> {
    let mut net = Pair::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.0; 6])?;
    let labels = Tensor::<(Batch,), u32>::from_vec(vec![0, 1])?;
    net.loss_step(Sgd::new(0.1), 2)?.run((&labels, &x))?;
    Ok(())
}
