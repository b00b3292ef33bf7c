//! A batch norm is called in the steps of a `scan`.
//! Fix: `LayerNorm`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let norm = BatchNorm1d;
        let h0 = norm(x[0]);
        let (_, last) = scan(x, h0, |h, step| {
            let next = h + norm(step);
            (next, next)
        });
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
