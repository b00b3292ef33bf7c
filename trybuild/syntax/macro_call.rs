//! A macro is called.
//! Fix: Look at values outside of the network.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        dbg!(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
