//! A value is repeated along an axis, as in PyTorch.
//! Fix: `concat(x, x, axis = 0)`.

use netform::prelude::*;

network! {
    pub Net: (x: [4, 8]) -> [8, 8] {
        x.repeat([2, 1])
    }
}

fn main() {}
