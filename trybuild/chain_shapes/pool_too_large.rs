//! A pool is larger than what is left of the image.
//! Fix: Use a smaller pool, or fewer of them.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(6, kernel = 25), Relu,
        MaxPool2d(5),
    }
}

fn main() {}
