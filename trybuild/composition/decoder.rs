//! A decoder takes another code than the encoder yields.
//! Fix: One size of the code.

use netform::prelude::*;

network! {
    /// A network.
    pub Encoder: [784] -> [32] { fc: Linear(32) }

    /// A decoder.
    pub Decoder: [64] -> [784] { fc: Linear(784) }

    /// An autoencoder.
    pub Net: [784] -> [784] { enc: Encoder, dec: Decoder }
}

fn main() {
    let _ = Net::new(Seed(0));
}
