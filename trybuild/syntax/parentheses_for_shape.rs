//! A shape is in parentheses.
//! Fix: `[784] -> [10]`.

use netform::prelude::*;

network! {
    pub Mlp: (784) -> (10) {
        fc1: Linear(10),
    }
}

fn main() {}
