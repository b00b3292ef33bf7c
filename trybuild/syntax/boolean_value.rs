//! `true` is used as a number.
//! Fix: `1`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * true
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
