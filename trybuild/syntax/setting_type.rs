//! A setting is of integers.
//! Fix: `rate: f32`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: u32): (x: [4]) -> [4] {
        dropout(x, rate)
    }
}

fn main() {}
