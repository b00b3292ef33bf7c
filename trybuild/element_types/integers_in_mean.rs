//! A mean is of integers.
//! Fix: `mean(float(ids))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [] {
        mean(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
