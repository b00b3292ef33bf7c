//! A const item is not there.
//! Fix: Declare it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * SCALE
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
