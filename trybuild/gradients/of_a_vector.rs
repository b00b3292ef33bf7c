//! A gradient is taken of a vector.
//! Fix: `grad(sum(square(x)), x)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        grad(square(x), x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
