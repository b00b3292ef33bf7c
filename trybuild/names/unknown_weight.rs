//! A weight of a layer is misspelled.
//! Fix: `weight`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let fc = Linear(4);
        fc(x) @ fc.wieght
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
