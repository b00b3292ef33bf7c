//! A layer stands behind its module.
//! Fix: `Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: nn::Linear(3),
    }
}

fn main() {}
