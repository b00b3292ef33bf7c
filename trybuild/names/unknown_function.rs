//! A function is misspelled.
//! Fix: `softmax`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        sofmax(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
