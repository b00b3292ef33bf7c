//! A loop counts down.
//! Fix: `0..3`, with `3 - i` in its body.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        for i in 3..0 {
            y = relu(y);
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
