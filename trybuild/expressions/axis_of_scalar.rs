//! A sum goes along an axis of one number.
//! Fix: Remove the sum.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: []) -> [] {
        sum(x, axis = 0)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
