//! A dense layer gets integers.
//! Fix: Put an `Embedding` before it, or declare the input without `u32`.

use netform::prelude::*;

network! {
    pub Digits: u32[16] -> [10] {
        fc1: Linear(10),
    }
}

fn main() {}
