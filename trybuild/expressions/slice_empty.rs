//! A slice is empty.
//! Fix: `x[5..6]`, or `x[5]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [5] {
        x[5..5]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
