//! A vector of 3 is repeated to rows of 4.
//! Fix: `[4, 3]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3]) -> [4, 4] {
        broadcast(x, [4, 4])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
