//! A matrix is multiplied with one of other rows than it has columns.
//! Fix: `x @ w.transpose()`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [32, 784]) -> [32, 10] {
        let w = Param([10, 784]);
        x @ w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
