//! A layer is misspelled where it is called.
//! Fix: `Linear`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        Lnear(4)(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
