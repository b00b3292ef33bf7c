//! A sum goes along an axis that the value has not.
//! Fix: `axis = 1`, or `axis = -1` for the last.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [3] {
        sum(x, axis = 2)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
