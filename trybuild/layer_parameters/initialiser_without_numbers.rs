//! An initialiser is given without its numbers.
//! Fix: `init = Normal(0.0, 0.02)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        fc: Linear(4, init = Normal),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
