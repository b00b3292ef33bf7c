//! A module has no network of this name.
//! Fix: `parts::Encoder`.

use netform::prelude::*;

mod parts {
    netform::network! {
        /// A part.
        pub Encoder: [784] -> [64] { fc: Linear(64) }
    }
}

network! {
    /// A network.
    pub Net: [784] -> [10] {
        encoder: parts::Encodr,
        head: Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
