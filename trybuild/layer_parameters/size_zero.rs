//! A size is 0.
//! Fix: At least 1.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(0), Relu,
    }
}

fn main() {}
