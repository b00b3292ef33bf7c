//! A slice ends behind the axis.
//! Fix: `x[6..10]`, or `x[6..]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [5] {
        x[6..11]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
