//! Each step appends to the carry.
//! Fix: Yield what is kept as the second value; `scan` stacks it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 8]) -> [8] {
        let (_, all) = scan(x, zeros([8]), |h, step| (concat(h, step), step));
        all
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
