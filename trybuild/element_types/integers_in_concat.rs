//! Integers and floats are concatenated.
//! Fix: `float(ids)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[3], x: [3]) -> [6] {
        concat(x, ids)
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
