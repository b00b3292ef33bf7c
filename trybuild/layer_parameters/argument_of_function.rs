//! An argument of a function is misspelled.
//! Fix: `axis`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        softmax(x, axes = -1)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
