//! Causal attention has more keys than queries.
//! Fix: Queries and keys of one length, or no mask.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (q: [3, 8], k: [5, 8]) -> [3, 8] {
        attention(q, k, k, causal = true)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
