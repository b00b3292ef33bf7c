//! A power is written with `^`.
//! Fix: `square(x)`, or `pow(x, 2)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x ^ 2
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
