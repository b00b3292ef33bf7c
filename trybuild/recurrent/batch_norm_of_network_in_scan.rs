//! A network with a batch norm is called in the steps of a `scan`.
//! Fix: `LayerNorm` in that network.

use netform::prelude::*;

network! {
    /// A network that is right on its own.
    pub Step: (x: [4]) -> [4] {
        let norm = BatchNorm1d;
        tanh(norm(x))
    }

    /// A network.
    pub Net: (x: [5, 4]) -> [4] {
        let f = Step;
        let (_, last) = scan(x, zeros([4]), |h, step| {
            let next = h + f(step);
            (next, next)
        });
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
