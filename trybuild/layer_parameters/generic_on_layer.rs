//! A layer's size is given in angle brackets.
//! Fix: `Linear(4)`.

use netform::prelude::*;

network! {
    /// A block.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear<4>;
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
