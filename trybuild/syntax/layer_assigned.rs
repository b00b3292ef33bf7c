//! A layer of a chain is assigned to its name.
//! Fix: `fc1: Linear(128)`.

use netform::prelude::*;

network! {
    pub Net: [784] {
        fc1 = Linear(128),
    }
}

fn main() {}
