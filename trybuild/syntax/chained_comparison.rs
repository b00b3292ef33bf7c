//! Comparisons are chained.
//! Fix: `(0 < x) * (x < 1)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        select(0 < x < 1, x, 0)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
