//! A choice is written with `if`.
//! Fix: `select(x > 0, x, 0)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        if x > 0 { x } else { 0 }
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
