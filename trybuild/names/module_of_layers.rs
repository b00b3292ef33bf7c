//! A layer has its module in front, as in Python.
//! Fix: `Linear(128)`.

use netform::prelude::*;

network! {
    pub Net: [784] {
        fc1: nn.Linear(128), Relu,
    }
}

fn main() {}
