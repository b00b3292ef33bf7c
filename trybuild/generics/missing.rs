//! A network of two sizes is used without them.
//! Fix: `Block<16, 32>`.

use netform::prelude::*;

network! {
    /// A block.
    pub Block<T, D>: (x: [T, D]) -> [T, D] {
        let fc = Linear(D);
        x + fc(x)
    }

    /// A network.
    pub Net: (x: [16, 32]) -> [16, 32] {
        let block = Block;
        block(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
