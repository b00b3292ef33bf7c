//! A loop is too long to be unrolled.
//! Fix: `scan`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        for i in 0..100000 {
            y = relu(y);
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
