//! Layers of a chain are bound with `let`.
//! Fix: `fc: Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        let fc = Linear(3);
    }
}

fn main() {}
