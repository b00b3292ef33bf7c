//! A layer has the name that Keras gives it.
//! Fix: `Linear`.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Dense(10),
    }
}

fn main() {}
