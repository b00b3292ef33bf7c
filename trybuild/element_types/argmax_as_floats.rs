//! The integers of `argmax` are multiplied.
//! Fix: `float(argmax(x)) * 2`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3]) -> [4] {
        argmax(x) * 2
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
