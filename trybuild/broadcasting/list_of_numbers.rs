//! A list of 2 numbers meets rows of 3.
//! Fix: A list of 3 numbers.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3]) -> [4, 3] {
        x + [1, 2]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
