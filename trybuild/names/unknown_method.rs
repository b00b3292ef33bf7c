//! A method is misspelled.
//! Fix: `reshape`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [2, 2] {
        x.reshpe([2, 2])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
