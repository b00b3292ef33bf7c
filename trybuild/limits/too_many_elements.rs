//! Weights are larger than any memory.
//! Fix: Fewer features.

use netform::prelude::*;

network! {
    pub Tiny: [10000000] {
        fc1: Linear(10000000),
    }
}

fn main() {}
