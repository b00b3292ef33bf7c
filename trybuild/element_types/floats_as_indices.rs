//! The indices of `gather` are floats.
//! Fix: `at: u32[]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10], at: []) -> [] {
        gather(x, at)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
