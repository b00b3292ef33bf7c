//! A value is used that is not there.
//! Fix: Bind it, or name an input.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x + offset
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
