//! `Reshape` has another number of values than a const item gives.
//! Fix: Compute the sizes from the const item.

use netform::prelude::*;

const HIDDEN: usize = 400;

network! {
    pub Digits: [64] {
        fc1: Linear(HIDDEN), Relu,
        Reshape([16, 6, 5]),
    }
}

fn main() {}
