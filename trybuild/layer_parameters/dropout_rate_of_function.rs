//! The rate of `dropout(x, ..)` is above 1.
//! Fix: A number from 0 to 1.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        dropout(x, 1.5)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
