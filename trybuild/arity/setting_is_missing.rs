//! A network inside another gets no value for its setting.
//! Fix: `Encoder(rate = 0.1)`.

use netform::prelude::*;

network! {
    pub Encoder(rate: f32): [4] -> [3] { fc: Linear(3), Dropout(rate) }

    pub Outer: [4] -> [3] { enc: Encoder }
}

fn main() {}
