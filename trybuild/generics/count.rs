//! A network of two sizes gets one.
//! Fix: `Block<16, 32>`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A block.
    pub Block<T, D>: (x: [T, D]) -> [T, D] {
        let fc = Linear(D);
        x + fc(x)
    }

    /// A network.
    pub Net: [16, 32] -> [16, 32] {
        blocks: [Block<16>; 3],
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
