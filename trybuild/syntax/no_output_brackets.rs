//! The output's shape has no brackets.
//! Fix: `-> [4]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> 4 {
        relu(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
