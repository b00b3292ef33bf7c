//! The closure of a `scan` takes one value.
//! Fix: `|h, x| ..`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let (ys, h) = scan(x, zeros([4]), |h| (h, h));
        h
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
