//! The input of a chain of layers has a name.
//! Fix: `Net: [4] -> [3]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        fc: Linear(3),
    }
}

fn main() {}
