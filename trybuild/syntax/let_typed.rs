//! A value is given a shape.
//! Fix: `let y = relu(x);`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y: [4] = relu(x);
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
