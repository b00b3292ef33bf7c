//! `max` gets three values.
//! Fix: `max(max(a, b), c)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        max(x, x, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
