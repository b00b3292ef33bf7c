//! A network of one input is called with two.
//! Fix: `encoder(x)`.

use netform::prelude::*;

network! {
    /// A part.
    pub Encoder: [784] -> [64] {
        fc: Linear(64), Relu,
    }

    /// A network.
    pub Net: (x: [784], y: [784]) -> [64] {
        let encoder = Encoder;
        encoder(x, y)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
