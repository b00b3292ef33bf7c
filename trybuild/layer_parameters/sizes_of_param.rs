//! The sizes of a `Param` are not in brackets.
//! Fix: `Param([4, 3])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [3] {
        let w = Param(4, 3);
        x @ w
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
