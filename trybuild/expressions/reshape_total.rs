//! `reshape` does not keep the number of values.
//! Fix: Sizes whose product is 784.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [28, 28]) -> [10, 80] {
        x.reshape([10, 80])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
