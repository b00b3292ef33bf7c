//! A learned embedding of positions is called with 8 and with 16 of them.
//! Fix: Two embeddings, or inputs of the same length.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [8, 4], b: [16, 4]) -> [4] {
        let position = PositionalEmbedding;
        mean(position(a), axis = 0) + mean(position(b), axis = 0)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
