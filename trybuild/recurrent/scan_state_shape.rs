//! The carry of a `scan` changes its shape.
//! Fix: `zeros([4])`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [3] {
        let fc = Linear(4);
        let (ys, last) = scan(x, zeros([3]), |h, step| (fc(step), h));
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
