//! A network inside is given a rate above 1.
//! Fix: A number from 0 to 1.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Encoder(rate: f32): [4] -> [3] { Linear(3), Dropout(rate) }
    pub Net: [4] -> [2] { enc: Encoder(rate = 1.5), Linear(2) }
}

fn main() {
    println!("{:?} {:?}", Net::new(Seed(1)), Encoder::new(Seed(1), 0.5));
}
