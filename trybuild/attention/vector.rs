//! Attention gets a vector.
//! Fix: An input of shape `[positions, features]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [32]) -> [32] {
        attention(x, x, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
