//! The arrow of a dense layer is that of a match.
//! Fix: `Linear(4 -> 3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(4 => 3),
    }
}

fn main() {}
