//! The steps of a `scan` change a value outside of it.
//! Fix: Carry it from step to step.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let total = zeros([4]);
        let (ys, last) = scan(x, zeros([4]), |h, step| {
            total = total + step;
            (h + step, total)
        });
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
