//! A network of flat vectors is called with an image.
//! Fix: `encoder(x.flatten())`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: (x: [28, 28]) -> [64] {
        let encoder = Encoder;
        encoder(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
