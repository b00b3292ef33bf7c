//! A network is called twice, with different shapes.
//! Fix: One shape, or a generic network for each.

use netform::prelude::*;

network! {
    /// An encoder.
    pub Encoder: [32] -> [8] { fc: Linear(8), Relu }

    /// A network.
    pub Net: (a: [32], b: [64]) -> [8] {
        let encoder = Encoder;
        encoder(a) + encoder(b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
