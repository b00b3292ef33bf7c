//! Input and output of a network are in one pair of brackets.
//! Fix: `[4] -> [3]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4 -> 3] {
        fc: Linear(3),
    }
}

fn main() {}
