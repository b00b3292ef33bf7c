//! A network yields its integer input.
//! Fix: `float(ids)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [4] {
        ids
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
