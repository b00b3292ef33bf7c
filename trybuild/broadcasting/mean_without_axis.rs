//! The mean of each row is subtracted without its axis.
//! Fix: `mean(x, axis = 1, keep = true)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 32]) -> [16, 32] {
        x - mean(x, axis = 1)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
