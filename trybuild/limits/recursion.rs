//! A network contains itself.
//! Fix: A repeat of another network, or `scan`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let inner = Net;
        inner(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
