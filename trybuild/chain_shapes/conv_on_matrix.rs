//! A convolution gets an image without a channel axis.
//! Fix: Declare the input as `[1, 28, 28]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Digits: [28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5), Relu,
        Flatten, Linear(10),
    }
}

fn main() {}
