//! The mean squared error is of 3 and 4 values.
//! Fix: Targets of the output's size.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3], y: [4]) -> [] {
        mse(x, y)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
