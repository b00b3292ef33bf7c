//! A layer's name stands before two colons.
//! Fix: `fc: Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc:: Linear(3),
    }
}

fn main() {}
