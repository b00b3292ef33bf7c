//! An argument is misspelled.
//! Fix: `kernel`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Tiny: [1, 28, 28] {
        conv1: Conv2d(6, kernal = 5), Relu,
    }
}

fn main() {}
