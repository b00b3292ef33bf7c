//! A convolution follows `Flatten`, which leaves no height and width.
//! Fix: Put `Flatten` after the last convolution.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(6, kernel = 5), Relu,
        Flatten,
        conv2: Conv2d(16, kernel = 5),
    }
}

fn main() {}
