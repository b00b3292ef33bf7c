//! Input and output of a dense layer have the names of PyTorch.
//! Fix: `Linear(4 -> 16)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(in_features = 4, out_features = 16), Relu,
        fc2: Linear(3),
    }
}

fn main() {}
