//! An axis of 3 is squeezed.
//! Fix: An axis of size 1, or an index: `x[0]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [4] {
        x.squeeze(0)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
