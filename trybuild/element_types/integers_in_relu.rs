//! A function of floats gets integers.
//! Fix: `relu(float(ids))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (ids: u32[4]) -> [4] {
        relu(ids)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
