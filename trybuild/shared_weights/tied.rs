//! A tied weight is transposed where it should not be.
//! Fix: `fc(x) @ fc.weight`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6]) -> [6] {
        let fc = Linear(4);
        fc(x) @ fc.weight.transpose()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
