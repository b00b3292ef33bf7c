//! `Flatten` is missing between convolutions and a dense layer.
//! Fix: Put `Flatten` before the dense layer.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(8, kernel = 5, stride = 2), Relu,
        fc1: Linear(1152 -> 10),
    }
}

fn main() {}
