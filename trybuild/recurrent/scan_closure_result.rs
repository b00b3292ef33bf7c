//! The closure of a `scan` yields one value.
//! Fix: `(h, y)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let (ys, h) = scan(x, zeros([4]), |h, step| h + step);
        h
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
