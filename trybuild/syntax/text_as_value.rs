//! A value is a text.
//! Fix: `x`, without quotation marks.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x + "x"
    }
}

fn main() {}
