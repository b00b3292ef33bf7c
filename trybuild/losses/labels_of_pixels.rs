//! One label is given for an image whose pixels are classified.
//! Fix: Labels of shape `(D<8>, D<8>)`, and the classes on the last axis.

use netform::prelude::*;

network! {
    /// A network.
    pub Segments: [1, 8, 8] -> [4, 8, 8] {
        conv: Conv2d(4, kernel = 3, padding = 1),
    }
}

fn main() -> netform::Result<()> {
    let mut net = Segments::new(Seed(1));
    let train = InMemory::<(D<1>, D<8>, D<8>)>::new(vec![0.0; 64], vec![1])?;
    Trainer::new(CrossEntropy, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
