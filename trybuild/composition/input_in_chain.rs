//! A network of flat vectors follows an image in a chain.
//! Fix: `Flatten` before it.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: [1, 28, 28] -> [10] {
        encoder: Encoder,
        head: Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
