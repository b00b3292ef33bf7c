//! Three values are bound to two names.
//! Fix: `let (q, k, v) = ..`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [4] {
        let (q, k) = x.unstack(0);
        q * k
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
