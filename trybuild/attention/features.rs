//! Queries and keys have different features.
//! Fix: Project both to the same features.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (q: [4, 8], k: [6, 16]) -> [4, 16] {
        attention(q, k, k)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
