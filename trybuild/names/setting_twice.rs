//! Two settings have one name.
//! Fix: Two names.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: f32, rate: f32): (x: [4]) -> [4] {
        dropout(x, rate)
    }
}

fn main() {}
