//! Integers are multiplied with a matrix.
//! Fix: `float(ids)`, or `one_hot(ids, n)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4], x: [4, 4]) -> [4] {
        ids @ x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
