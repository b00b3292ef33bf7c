//! A repeat is too long to be unrolled.
//! Fix: A `scan`, which shares its weights.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [4] {
        layers: [Linear(4); 1000000],
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
