//! A convolution declares other channels than a const item gives the layer before.
//! Fix: Name the const item in both places, or leave the inputs to inference.
//! In full in docs/errors.md.

use netform::prelude::*;

mod config {
    pub const CHANNELS: usize = 6;
}

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(config::CHANNELS, kernel = 5), Relu,
        conv2: Conv2d(8 -> 16, kernel = 5), Relu,
    }
}

fn main() {}
