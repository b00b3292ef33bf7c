//! A shape has no brackets.
//! Fix: `[784] -> [10]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Mlp: 784 -> 10 {
        fc1: Linear(10),
    }
}

fn main() {}
