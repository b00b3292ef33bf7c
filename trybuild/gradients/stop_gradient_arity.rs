//! `stop_gradient` gets two values.
//! Fix: `stop_gradient(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x * stop_gradient(x, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
