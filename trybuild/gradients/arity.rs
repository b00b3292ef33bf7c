//! `grad` is called without the value that it is for.
//! Fix: `grad(sum(x), x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        grad(sum(x))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
