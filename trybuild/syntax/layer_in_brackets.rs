//! The arguments of a layer are in brackets.
//! Fix: Parentheses: `Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear[3],
    }
}

fn main() {}
