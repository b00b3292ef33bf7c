//! Layers stand in a `Sequential`, as in PyTorch.
//! Fix: The layers alone: `Linear(8), Relu, Linear(4)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        Sequential(Linear(8), Relu, Linear(4)),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
