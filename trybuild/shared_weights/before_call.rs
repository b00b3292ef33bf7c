//! A weight is read before its layer is called.
//! Fix: Call the layer first.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4);
        fc(x @ fc.weight)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
