//! A network of two inputs is given to the trainer.
//! Fix: Let the network yield its loss, and use `loss_step`.

use netform::prelude::*;

network! {
    pub Pair: (x: [3], y: [2]) -> [4] {
        let a = Linear(4);
        let b = Linear(4);
        a(x) + b(y)
    }
}

fn main() -> netform::Result<()> {
    let mut net = Pair::new(Seed(1));
    let train = InMemory::<(D<3>,)>::new(vec![0.0; 6], vec![0, 1])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
