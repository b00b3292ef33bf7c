//! A gradient is taken through `stop_gradient`.
//! Fix: Remove `stop_gradient`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        grad(sum(stop_gradient(x)), x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
