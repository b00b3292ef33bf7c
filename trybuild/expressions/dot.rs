//! A dot product is of vectors of 3 and 4.
//! Fix: Vectors of one size.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3], b: [4]) -> [] {
        dot(a, b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
