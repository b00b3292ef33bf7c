//! The output's shape follows `=>`.
//! Fix: `->`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] => [4] {
        fc: Linear(4),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
