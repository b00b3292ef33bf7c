//! An argument of a layer is misspelled.
//! Fix: `bias`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4, biass = false);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
