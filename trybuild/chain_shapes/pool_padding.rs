//! A pool is padded by more than half of its kernel.
//! Fix: At most half of the kernel: `padding = 1`.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        MaxPool2d(2, padding = 2),
    }
}

fn main() {}
