//! A gradient is taken through `argmax`, which has none.
//! Fix: `softmax(x)` instead.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3]) -> [4, 3] {
        grad(sum(float(argmax(x))), x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
