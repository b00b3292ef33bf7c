//! A range contains its end.
//! Fix: `x[0..2]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [2] {
        x[0..=1]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
