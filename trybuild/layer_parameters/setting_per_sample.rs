//! A setting is computed from a sample.
//! Fix: One number for all samples, or an input.

use netform::prelude::*;

network! {
    pub Encoder(rate: f32): [4] -> [3] { fc: Linear(3), Dropout(rate) }

    pub Outer: (x: [4]) -> [3] {
        let enc = Encoder(rate = sum(x));
        enc(x)
    }
}

fn main() {}
