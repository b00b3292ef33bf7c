//! An axis of 5000 is taken apart.
//! Fix: `scan` along it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5000]) -> [] {
        let parts = x.unstack(0);
        parts[0] + parts[1]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
