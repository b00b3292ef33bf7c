//! Two values are bound to three names.
//! Fix: Two names.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [2, 4]) -> [4] {
        let [q, k, v] = x.unstack(0);
        q * k + v
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
