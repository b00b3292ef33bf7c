//! A padding is a text, as in Keras and PyTorch.
//! Fix: `padding = 1` for a kernel of 3.

use netform::prelude::*;

network! {
    pub Net: [3, 32, 32] {
        conv: Conv2d(16, kernel = 3, padding = "same"), Relu,
    }
}

fn main() {}
