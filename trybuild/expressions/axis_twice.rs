//! A sum names one axis twice.
//! Fix: Each axis once.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [] {
        sum(x, axes = (0, 0))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
