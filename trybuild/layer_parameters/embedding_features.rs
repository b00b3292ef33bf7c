//! An `Embedding` has no number of features.
//! Fix: `Embedding(100, features = 32)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[8]) -> [8, 4] {
        let embedding = Embedding(100);
        embedding(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
