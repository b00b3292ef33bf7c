//! A layer in a `scan` is not used.
//! Fix: Remove it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let (ys, last) = scan(x, zeros([4]), |h, step| {
            let cell = Linear(4);
            (h + step, h)
        });
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
