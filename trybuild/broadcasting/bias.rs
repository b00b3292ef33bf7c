//! A bias has the size of the inputs, not of the outputs.
//! Fix: `Param([10])`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> [10] {
        let w = Param([784, 10]);
        let b = Param([784]);
        x @ w + b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
