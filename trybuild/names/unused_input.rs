//! An input is not used.
//! Fix: Remove it, or call it `_mask`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4], mask: [4]) -> [4] {
        relu(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
