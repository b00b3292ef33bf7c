//! Matrices of 4 and 5 columns are put below each other.
//! Fix: Matrices of the same columns.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 4], b: [2, 5]) -> [5, 4] {
        concat(a, b, axis = 0)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
