//! `softmax` is called without a value.
//! Fix: `softmax(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        softmax()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
