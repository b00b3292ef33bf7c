//! A gradient is taken of a number.
//! Fix: An expression of `x`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * grad(3.0, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
