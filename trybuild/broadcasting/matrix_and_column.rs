//! A matrix of 4 columns meets a vector of its 3 rows.
//! Fix: `b.unsqueeze(1)`, which is `[3, 1]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 4], b: [3]) -> [3, 4] {
        a + b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
