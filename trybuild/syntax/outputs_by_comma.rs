//! Input and output of a network are separated by a comma.
//! Fix: `[4] -> [3]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4], [3] {
        fc: Linear(3),
    }
}

fn main() {}
