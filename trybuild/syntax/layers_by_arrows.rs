//! Layers stand between arrows.
//! Fix: Commas: `Linear(16), Relu`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(16) -> Relu,
        fc2: Linear(3),
    }
}

fn main() {}
