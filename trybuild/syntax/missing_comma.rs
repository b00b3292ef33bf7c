//! A comma is missing between layers.
//! Fix: `,` after each layer.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128)
        Relu,
        fc2: Linear(10),
    }
}

fn main() {}
