//! The inputs and outputs of a dense layer are separated by a comma, as in PyTorch.
//! Fix: `Linear(784 -> 128)`, or `Linear(128)`, which infers its input.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(784, 128), Relu,
    }
}

fn main() {}
