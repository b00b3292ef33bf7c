//! The shape of a float input has an element type.
//! Fix: `[784]`; only integers are marked: `u32[..]`.

use netform::prelude::*;

network! {
    pub Mlp: f32[784] -> [10] {
        fc1: Linear(10),
    }
}

fn main() {}
