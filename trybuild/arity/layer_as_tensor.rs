//! A layer is used like a value.
//! Fix: `relu(fc(x))`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4);
        relu(fc)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
