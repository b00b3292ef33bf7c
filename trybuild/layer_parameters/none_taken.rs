//! `Relu` is given an argument.
//! Fix: `Relu`, or `LeakyRelu(0.1)`.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(128), Relu(0.1),
    }
}

fn main() {}
