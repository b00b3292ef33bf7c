//! A rate of dropout is above 1.
//! Fix: A number from 0 to 1.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(10), Dropout(1.5),
    }
}

fn main() {}
