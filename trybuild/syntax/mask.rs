//! Elements are taken by a condition.
//! Fix: `select(x > 0, x, 0)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x[x > 0]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
