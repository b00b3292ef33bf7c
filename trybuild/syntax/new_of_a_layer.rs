//! A layer is made as a type of Rust is.
//! Fix: `Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear::new(3),
    }
}

fn main() {}
