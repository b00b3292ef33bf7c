//! A network is misspelled.
//! Fix: `Encoder`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: (x: [784]) -> [64] {
        let encoder = Encodr;
        encoder(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
