//! A step adds 8 features to a state of 16.
//! Fix: A layer in between: `cell(step)` with `Linear(16)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 8]) -> [16] {
        let (_, last) = scan(x, zeros([16]), |h, step| (tanh(h + step), h));
        last
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
