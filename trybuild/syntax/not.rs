//! A condition is negated by `!`.
//! Fix: `1 - x`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        !x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
