//! A computed rate of dropout is above 1.
//! Fix: `1 - 0.9`, a number from 0 to 1.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [10] {
        dropout(x, 2 - 0.9)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
