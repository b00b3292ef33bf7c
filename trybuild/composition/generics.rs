//! A network without sizes is given one.
//! Fix: `Encoder` alone.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: [784] -> [64] {
        encoder: Encoder<64>,
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
