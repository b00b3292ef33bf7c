//! A size is larger than any number of the machine.
//! Fix: A smaller one.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(99999999999999999999),
    }
}

fn main() {}
