//! A value that is assigned in a loop is misspelled.
//! Fix: `total`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let total = x;
        totel = total + x;
        total
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
