//! A network ends with an image where a vector is declared.
//! Fix: Add `Flatten` and a dense layer, or declare what it yields.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(10, kernel = 5), Relu,
    }
}

fn main() {}
