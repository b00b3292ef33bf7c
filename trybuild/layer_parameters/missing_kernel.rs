//! A convolution has no kernel.
//! Fix: `Conv2d(6, kernel = 3)`.

use netform::prelude::*;

network! {
    pub Tiny: [1, 28, 28] {
        conv1: Conv2d(6), Relu,
    }
}

fn main() {}
