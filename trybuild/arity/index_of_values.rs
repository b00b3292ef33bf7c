//! The fourth of three values is taken.
//! Fix: `parts[2]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4]) -> [4] {
        let parts = x.unstack(0);
        parts[3]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
