//! A layer is bound to several in braces.
//! Fix: A network of its own.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let f = { Linear(8), Relu, Linear(4) };
        f(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
