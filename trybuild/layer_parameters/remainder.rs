//! Numbers of a size leave a remainder.
//! Fix: A number that 2 divides.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(7 / 2), Relu,
    }
}

fn main() {}
