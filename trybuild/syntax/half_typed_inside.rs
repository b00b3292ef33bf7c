//! A layer inside another is still to be typed; what follows is there.
//! Fix: `b: Linear(4)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        Residual { a: Linear(4), b: }, c: Linear(4),
    }
}

fn main() {
    let _ = Net::new(Seed(0)).c();
}
