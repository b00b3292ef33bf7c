//! A layer is written in small letters.
//! Fix: `Linear`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: linear(3),
    }
}

fn main() {}
