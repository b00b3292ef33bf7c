//! A layer is assigned to `self`, as in Python.
//! Fix: `fc1: Linear(128)`.

use netform::prelude::*;

network! {
    pub Net: [784] {
        self.fc1 = Linear(128),
    }
}

fn main() {}
