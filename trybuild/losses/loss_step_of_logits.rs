//! A network that yields logits is trained as if it were its own loss.
//! Fix: `net.train_step(CrossEntropy, ..)`.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    net.loss_step(Adam::new(1e-3), 64)?;
    Ok(())
}
