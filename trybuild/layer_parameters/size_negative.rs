//! A size is negative.
//! Fix: At least 1.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(-3), Relu,
    }
}

fn main() {}
