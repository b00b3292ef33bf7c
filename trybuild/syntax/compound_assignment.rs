//! A value is changed in place.
//! Fix: `y = y + x;`

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        y += x;
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
