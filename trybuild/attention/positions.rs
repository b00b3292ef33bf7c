//! There are more keys than values.
//! Fix: One value for each key.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (q: [4, 8], k: [6, 8], v: [5, 8]) -> [4, 8] {
        attention(q, k, v)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
