//! A const item leaves less of the image than the pool needs.
//! Fix: A smaller pool or kernel.

use netform::prelude::*;

const K: usize = 25;

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(6, kernel = K), Relu,
        MaxPool2d(5),
    }
}

fn main() {}
