//! A `scan` has no value to begin with.
//! Fix: `scan(x, zeros([4]), |h, x| (h, x))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let (ys, h) = scan(x, |h, x| (h, x));
        h
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
