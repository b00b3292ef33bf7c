//! The size to be inferred is written as -1.
//! Fix: `x.flatten()`, or the size.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [28, 28]) -> [784] {
        x.reshape([-1])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
