//! An argument is given twice.
//! Fix: Once.

use netform::prelude::*;

network! {
    pub Tiny: [1, 28, 28] {
        conv1: Conv2d(6, kernel = 5, kernel = 3), Relu,
    }
}

fn main() {}
