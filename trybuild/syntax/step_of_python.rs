//! Every second element is taken as in Python.
//! Fix: `slice(x, 0, 4, step = 2)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [2] {
        x[0..4..2]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
