//! There are 4 rows and 5 indices.
//! Fix: One index for each row.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 10], at: u32[5]) -> [4] {
        gather(x, at)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
