//! A gradient is taken for an expression, which has no name.
//! Fix: Bind it, and take the gradient for the name.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        grad(sum(square(x)), x * 2)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
