//! A network inside another yields twice what it declares; the other is right.
//! Fix: `Linear(CODE)`, or `-> [2 * CODE]`.

use netform::prelude::*;

const CODE: usize = 8;

network! {
    /// A part.
    pub Encoder: [784] -> [CODE] {
        fc: Linear(2 * CODE),
    }

    /// A network.
    pub Net: (x: [784]) -> [CODE] {
        let encoder = Encoder;
        encoder(x) + ones([CODE])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
