//! The value of an expression is not used.
//! Fix: `let y = relu(x);`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        relu(x);
        x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
