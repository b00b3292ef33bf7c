//! A power is written as in Python.
//! Fix: `pow(x, 3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        1 + x ** 3
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
