//! A setting is not used.
//! Fix: Remove it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: f32): (x: [4]) -> [4] {
        relu(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0), 0.5);
}
