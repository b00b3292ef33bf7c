//! An initialiser has the name of PyTorch.
//! Fix: `init = HeUniform`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(3, init = kaiming_uniform),
    }
}

fn main() {}
