//! A convolution follows an `Embedding`, whose features are the last axis.
//! Fix: The expression form: `conv(emb(ids).transpose())`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: u32[16] -> [8, 14] {
        emb: Embedding(100, features = 32),
        conv: Conv1d(32 -> 8, kernel = 3),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
