//! A recurrent layer gets an image.
//! Fix: `Reshape([28, 28])` before it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [1, 28, 28] -> [64] {
        rnn: Lstm(64, last = true),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
