//! Images without a channel axis are given to a network of images with one.
//! Fix: Data of shape `(D<1>, D<28>, D<28>)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Digits: [1, 28, 28] -> [10] {
        Flatten,
        fc: Linear(10),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Digits::new(Seed(1));
    let train = InMemory::<(D<28>, D<28>)>::new(vec![0.0; 784], vec![1])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
