//! A value is declared as mutable.
//! Fix: `let y = x;`, and `y = ..` in a loop.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let mut y = x;
        y = relu(y);
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
