//! A loss is the last layer.
//! Fix: `Trainer::new(CrossEntropy, ..)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(3), CrossEntropy,
    }
}

fn main() {}
