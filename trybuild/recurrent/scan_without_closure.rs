//! A `scan` has no closure.
//! Fix: `|h, x| (h, y)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let (ys, h) = scan(x, zeros([4]), x);
        h
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
