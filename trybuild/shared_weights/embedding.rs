//! The table of an `Embedding` of 32 features is tied to an output of 16.
//! Fix: Features of one size: `Linear(32)` before it.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[8]) -> [8, 100] {
        let table = Embedding(100, features = 32);
        let fc = Linear(16);
        fc(table(ids)) @ table.weight.transpose()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
