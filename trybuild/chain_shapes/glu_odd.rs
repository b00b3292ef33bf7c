//! `Glu` halves an axis of odd size.
//! Fix: An even number of features: `Linear(16)`.

use netform::prelude::*;

network! {
    pub Gated: [4] -> [7] {
        fc1: Linear(15), Glu,
    }
}

fn main() {}
