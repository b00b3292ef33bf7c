//! A flag is given a word that is no flag.
//! Fix: `bias = false`.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(10, bias = no),
    }
}

fn main() {}
