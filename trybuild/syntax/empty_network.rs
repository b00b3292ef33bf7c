//! A network has no body.
//! Fix: Write its layers.

use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
    }
}

fn main() {}
