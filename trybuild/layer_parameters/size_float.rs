//! A size is not a whole number.
//! Fix: A whole number.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(2.5), Relu,
    }
}

fn main() {}
