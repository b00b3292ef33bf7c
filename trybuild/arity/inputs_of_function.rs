//! A function of two inputs is called with one.
//! Fix: `distance(x, y)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [3]) -> [] { sum(square(x - y)) }

    /// A network.
    pub Net: (x: [3]) -> [] {
        distance(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
