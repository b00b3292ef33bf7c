//! A number is added to integers.
//! Fix: `float(ids) + 1`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [4] {
        ids + 1
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
