//! Attention of 4 heads gets 30 features.
//! Fix: A number of heads that divides the features.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 30]) -> [16, 30] {
        let attention = MultiHeadAttention(4);
        attention(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
