//! A gradient is taken for a value that the expression does not use.
//! Fix: A value that it uses.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4], y: [4]) -> [4] {
        grad(sum(square(x)), y)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
