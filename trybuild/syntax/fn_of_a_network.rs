//! A network is declared as a function.
//! Fix: `Net: [4] -> [3] { .. }`.

use netform::prelude::*;

network! {
    /// A network.
    fn Net: [4] -> [3] {
        fc: Linear(3),
    }
}

fn main() {}
