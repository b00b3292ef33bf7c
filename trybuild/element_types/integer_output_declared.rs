//! A network declares an integer output.
//! Fix: `-> [4]` and `float(ids)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> u32[4] {
        ids
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
