//! An index is behind the end.
//! Fix: `x[9]`, or `x[-1]`, which is the last.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [] {
        x[10]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
