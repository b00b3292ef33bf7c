//! A layer is misspelled.
//! Fix: `Linear`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linera(4);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
