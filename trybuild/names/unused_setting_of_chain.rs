//! A setting of a chain is not used.
//! Fix: `Dropout(rate)`, or remove it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(rate: f32): [4] -> [4] {
        Linear(4), Dropout(0.5),
    }
}

fn main() {
    let _ = Net::new(Seed(0), 0.5);
}
