//! The branches of `Parallel` yield images of different sizes.
//! Fix: The same padding in each branch.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [3, 8, 8] -> [6, 8, 8] {
        Parallel {
            Conv2d(3, kernel = 3),
            Conv2d(3, kernel = 3, padding = 1),
        }
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
