//! A gradient is taken for integers.
//! Fix: Take it for floats.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4], x: [4]) -> [4] {
        grad(sum(one_hot(ids, 3)) + sum(x), ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
