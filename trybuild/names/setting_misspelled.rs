//! The setting of a network inside is misspelled.
//! Fix: `rate`.

use netform::prelude::*;

network! {
    pub Encoder(rate: f32): [4] -> [3] { fc: Linear(3), Dropout(rate) }

    pub Outer(p: f32): [4] -> [3] { enc: Encoder(rat = p) }
}

fn main() {}
