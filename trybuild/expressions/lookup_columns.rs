//! The table of `lookup` is a vector.
//! Fix: `Param([rows, columns])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[8], table: [4]) -> [8, 4] {
        lookup(table, ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
