//! `slice` ends behind the axis.
//! Fix: At most 10.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [5] {
        slice(x, 6, 11)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
