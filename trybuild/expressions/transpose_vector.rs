//! A vector is transposed.
//! Fix: `x.unsqueeze(0)`, a matrix of one row.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3]) -> [3] {
        x.transpose()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
