//! A parameter is not used.
//! Fix: Remove it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let scale = Param([4]);
        relu(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
