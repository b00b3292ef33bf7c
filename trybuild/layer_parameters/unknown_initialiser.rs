//! An initialiser is misspelled.
//! Fix: `Xavier`.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(10, init = Xavir),
    }
}

fn main() {}
