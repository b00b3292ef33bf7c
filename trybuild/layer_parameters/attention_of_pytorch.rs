//! An attention layer is told its features and heads, as in PyTorch.
//! Fix: `MultiHeadAttention(8)`, which infers its features.

use netform::prelude::*;

network! {
    pub Encoder: [16, 512] {
        attention: MultiHeadAttention(512, 8),
    }
}

fn main() {}
