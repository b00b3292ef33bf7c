//! The context of cross-attention has other features than the queries.
//! Fix: Project the context to 32 features first: `Linear(32)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32], context: [8, 24]) -> [16, 32] {
        let attention = MultiHeadAttention(4);
        attention(x, context)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
