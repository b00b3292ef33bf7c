//! A kernel from a const item is larger than the image.
//! Fix: A smaller const item, or `padding`.

use netform::prelude::*;

const K: usize = 9;

network! {
    pub Digits: [1, 12, 12] {
        conv1: Conv2d(8, kernel = 5), Relu,
        conv2: Conv2d(16, kernel = K), Relu,
        Flatten, fc1: Linear(10),
    }
}

fn main() {}
