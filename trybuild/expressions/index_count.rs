//! A vector has two indices.
//! Fix: `x[0]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [] {
        x[0, 1]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
