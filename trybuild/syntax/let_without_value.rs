//! A name has no value.
//! Fix: `let y = ..;`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y;
        x
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
