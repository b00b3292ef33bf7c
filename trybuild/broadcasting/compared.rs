//! Matrices of different columns are compared.
//! Fix: One shape for both.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 4], b: [3, 5]) -> [3, 4] {
        a > b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
