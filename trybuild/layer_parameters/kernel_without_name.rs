//! The kernel is given without its name.
//! Fix: `Conv2d(6, kernel = 5)`.

use netform::prelude::*;

network! {
    pub Tiny: [1, 28, 28] {
        conv1: Conv2d(6, 5), Relu,
    }
}

fn main() {}
