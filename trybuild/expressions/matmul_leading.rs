//! Stacks of 2 and of 5 matrices are multiplied.
//! Fix: Stacks of one size, or of 1.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [2, 3, 4], b: [5, 4, 3]) -> [2, 3, 3] {
        a @ b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
