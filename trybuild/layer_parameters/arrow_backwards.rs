//! The arrow of a dense layer points backwards.
//! Fix: `Linear(4 -> 3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(3 <- 4),
    }
}

fn main() {}
