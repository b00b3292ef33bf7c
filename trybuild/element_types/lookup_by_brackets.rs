//! Rows of a table are taken by integers in brackets.
//! Fix: `lookup(table, ids)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [4, 8] {
        let table = Param([10, 8]);
        table[ids]
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
