//! The shape of `reshape` has no brackets.
//! Fix: `x.reshape([4])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [] {
        x.reshape(4)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
