//! Two networks of one `network!` have one name.
//! Fix: Two names.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [784] -> [10] {
        head: Linear(10),
    }

    /// Another one.
    pub Net: [10] -> [10] {
        head: Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
