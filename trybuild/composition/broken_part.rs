//! A network that is used has a mistake: it is reported once.
//! Fix: `Linear(64)`.

use netform::prelude::*;

network! {
    /// A part with a mistake.
    pub Encoder: [784] -> [64] {
        fc: Linera(64), Relu,
    }

    /// A network.
    pub Net: [784] -> [10] {
        encoder: Encoder,
        head: Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
