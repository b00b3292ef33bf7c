//! A const item is misspelled.
//! Fix: `HIDDEN`.

use netform::prelude::*;

const HIDDEN: usize = 128;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(HIDEN), Relu,
        fc2: Linear(10),
    }
}

fn main() {}
