//! A loop is written with `while`.
//! Fix: `for i in 0..4 { .. }`, or `scan`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        while true { x }
        x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
