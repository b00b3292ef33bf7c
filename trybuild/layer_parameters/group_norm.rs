//! A group norm of 4 groups gets 6 channels.
//! Fix: A number of groups that divides the channels.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 8, 8]) -> [6, 8, 8] {
        let norm = GroupNorm(4);
        norm(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
