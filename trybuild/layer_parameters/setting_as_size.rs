//! A run-time setting is used as a size.
//! Fix: A generic parameter: `pub Net<WIDTH>`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(width: f32): (x: [4]) -> [4] {
        let fc = Linear(width);
        fc(x)
    }
}

fn main() {}
