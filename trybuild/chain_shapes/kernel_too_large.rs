//! A kernel is larger than what the layer before leaves of the image.
//! Fix: Use a smaller kernel, or `padding`.

use netform::prelude::*;

network! {
    pub Digits: [1, 12, 12] {
        conv1: Conv2d(8, kernel = 5), Relu,
        conv2: Conv2d(16, kernel = 9), Relu,
        Flatten, fc1: Linear(10),
    }
}

fn main() {}
