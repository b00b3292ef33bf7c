//! An input has no shape.
//! Fix: `x: [4]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x, y: [4]) -> [4] {
        x + y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
