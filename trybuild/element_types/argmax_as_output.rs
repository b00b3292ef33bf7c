//! A network yields the integers of `argmax`.
//! Fix: `float(argmax(x))`, or take `argmax` of the output.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 3]) -> [4] {
        argmax(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
