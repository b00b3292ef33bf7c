//! A layer is not used.
//! Fix: Remove it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc1 = Linear(4);
        let fc2 = Linear(4);
        fc1(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
