//! A mean absolute error is taken of class labels.
//! Fix: A metric of classes, such as `Accuracy`, or targets of the outputs' shape.

use netform::metric::Mae;
use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,)>::new(vec![], vec![])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).metric("mae", Mae::new()).fit(&mut net, &train)?;
    Ok(())
}
