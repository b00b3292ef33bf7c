//! A `scan` goes along one number.
//! Fix: A value with an axis of steps in front.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: []) -> [] {
        let (ys, last) = scan(x, 0, |h, step| (h + step, h));
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
