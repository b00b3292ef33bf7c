//! A choice is between values of shapes that do not broadcast.
//! Fix: `b.unsqueeze(1)`, which is `[3, 1]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 4], b: [3]) -> [3, 4] {
        select(a > 0, a, b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
