//! A network is declared as a struct.
//! Fix: `pub Net: [4] -> [3] { .. }`.

use netform::prelude::*;

network! {
    /// A network.
    pub struct Net: [4] -> [3] {
        fc: Linear(3),
    }
}

fn main() {}
