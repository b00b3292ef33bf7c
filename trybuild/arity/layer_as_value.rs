//! A layer is written where a value is needed.
//! Fix: `x + Linear(4)(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x + Linear(4)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
