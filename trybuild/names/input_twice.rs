//! Two inputs have one name.
//! Fix: Two names.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4], x: [4]) -> [4] {
        x + x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
