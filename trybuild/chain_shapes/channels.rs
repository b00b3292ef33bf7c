//! A convolution declares 8 channels and gets the 6 of the layer before.
//! Fix: `Conv2d(6 -> 16, kernel = 5)`, or `Conv2d(16, kernel = 5)`, which infers its input.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(6, kernel = 5), Relu, MaxPool2d(2),
        conv2: Conv2d(8 -> 16, kernel = 5), Relu,
    }
}

fn main() {}
