//! A layer is applied by `forward`.
//! Fix: `fc(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let fc = Linear(3);
        fc.forward(x)
    }
}

fn main() {}
