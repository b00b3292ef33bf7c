//! An `Embedding` gets floats.
//! Fix: `ids: u32[8]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: [8]) -> [8, 4] {
        let embedding = Embedding(100, features = 4);
        embedding(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
