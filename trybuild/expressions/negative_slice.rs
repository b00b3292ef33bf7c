//! A slice begins 11 before the end of 10.
//! Fix: At most 10 before the end.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [5] {
        x[-11..]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
