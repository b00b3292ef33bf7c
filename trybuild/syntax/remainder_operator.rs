//! A remainder is written with `%`.
//! Fix: `x - 2 * floor(x / 2)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x % 2
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
