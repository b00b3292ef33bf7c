//! A normalisation is told its features, as in PyTorch.
//! Fix: `BatchNorm1d`: they are inferred.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(16), BatchNorm1d(16), Relu,
        fc2: Linear(3),
    }
}

fn main() {}
