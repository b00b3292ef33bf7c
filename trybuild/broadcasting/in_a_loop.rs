//! A loop adds parts of growing sizes.
//! Fix: Parts of one size.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [6] {
        let y = x;
        for i in 0..3 {
            y = y + x[0..i + 1];
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
