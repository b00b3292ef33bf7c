//! Two networks contain each other.
//! Fix: A repeat of another network, or `scan`.

use netform::prelude::*;

network! {
    /// One.
    pub Net: [4] -> [4] { other: Other }

    /// The other.
    pub Other: [4] -> [4] { net: Net }
}

fn main() {
    let _ = Net::new(Seed(0));
}
