//! The shape of a parameter has no brackets.
//! Fix: `Param([4])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let w = Param(4);
        x * w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
