//! The features of an embedding have no name, as in PyTorch.
//! Fix: `Embedding(1000, features = 64)`.

use netform::prelude::*;

network! {
    pub Net: u32[20] {
        tokens: Embedding(1000, 64),
    }
}

fn main() {}
