//! The sizes of a network stand in parentheses behind its name.
//! Fix: `Net: [4] -> [3]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(4, 3) {
        fc: Linear(3),
    }
}

fn main() {}
