//! The axis of a softmax is counted with the batch, as in PyTorch.
//! Fix: `Softmax`, or `Softmax(0)`: axes are those of a sample.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(3), Softmax(dim = 1),
    }
}

fn main() {}
