//! The input of a dense layer is given by a name.
//! Fix: `Linear(4 -> 16)`, or `Linear(16)`, which infers its input.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(16, in = 4), Relu,
        fc2: Linear(3),
    }
}

fn main() {}
