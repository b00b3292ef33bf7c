//! A layer has the name of a method of all networks.
//! Fix: Another name.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let forward = Linear(4);
        forward(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
