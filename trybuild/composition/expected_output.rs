//! A network is said to yield 32 features and yields 64.
//! Fix: `Encoder -> [64]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: [784] -> [10] {
        encoder: Encoder -> [32],
        head: Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
