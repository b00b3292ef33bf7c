//! A dense layer is called with 4 and with 5 features.
//! Fix: Two layers, or inputs of one size.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [4], b: [5]) -> [4] {
        let fc = Linear(4);
        fc(a) + fc(b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
