//! Several values are used like one.
//! Fix: Take them apart.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [2, 4]) -> [4] {
        relu(x.unstack(0))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
