//! A size leaves a remainder.
//! Fix: A divisor of 64.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 64]) -> [6, 5, 12] {
        x.reshape([6, 5, 64 / 5])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
