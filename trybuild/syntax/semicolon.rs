//! Layers are separated by a semicolon.
//! Fix: A comma.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
        fc1: Linear(128);
        Relu;
        fc2: Linear(10);
    }
}

fn main() {}
