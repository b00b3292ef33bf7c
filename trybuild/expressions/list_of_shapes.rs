//! Values of different shapes are put into a list.
//! Fix: `concat(a, b)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3], b: [4]) -> [2, 3] {
        [a, b]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
