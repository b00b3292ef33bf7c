//! An axis is a name.
//! Fix: A number: `axis = -1` is the last.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [3] {
        sum(x, axis = last)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
