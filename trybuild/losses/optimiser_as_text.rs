//! The optimiser is given by its name, as in Keras.
//! Fix: `Adam::new(1e-2)`.

use netform::prelude::*;

network! {
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

fn main() -> netform::Result<()> {
    let flowers = InMemory::<(D<4>,)>::new(vec![5.1, 3.5, 1.4, 0.2], vec![0])?;
    let mut net = Iris::new(Seed(1));
    Trainer::new(CrossEntropy, "adam").fit(&mut net, &flowers)?;
    Ok(())
}
