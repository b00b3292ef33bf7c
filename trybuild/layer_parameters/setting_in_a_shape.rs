//! A run-time setting is used in a shape.
//! Fix: A generic parameter: `pub Net<WIDTH>`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(width: f32): (x: [4]) -> [4] {
        x.reshape([width])
    }
}

fn main() {}
