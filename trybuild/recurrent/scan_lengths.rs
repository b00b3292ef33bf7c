//! A `scan` goes along two values of different lengths.
//! Fix: One length for both.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [5, 4], b: [6, 4]) -> [4] {
        let (ys, last) = scan((a, b), zeros([4]), |h, (s, t)| (h + s * t, h));
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
