//! A rounded float is used as an index.
//! Fix: An integer input, or `argmax`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3]) -> [4] {
        gather(x, floor(x[.., 0]))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
