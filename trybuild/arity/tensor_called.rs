//! A tensor is called.
//! Fix: A layer or a function.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
