//! A size is divided by 0.
//! Fix: A divisor of at least 1.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [64]) -> [64] {
        x.reshape([64 / 0])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
