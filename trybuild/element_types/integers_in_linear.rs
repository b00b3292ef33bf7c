//! A dense layer gets integers.
//! Fix: An `Embedding` before it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [4] {
        let fc = Linear(4);
        fc(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
