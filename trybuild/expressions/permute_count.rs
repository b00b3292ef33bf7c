//! A new order of three axes names two.
//! Fix: `x.permute([1, 0, 2])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 4, 5]) -> [4, 3, 5] {
        x.permute([1, 0])
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
