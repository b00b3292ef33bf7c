//! The results of a `scan` are taken in the wrong order.
//! Fix: `let (ys, last) = scan(..)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 8]) -> [8] {
        let (last, ys) = scan(x, zeros([8]), |h, step| (h + step, h));
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
