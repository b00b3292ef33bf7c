//! A weight is read of a tensor.
//! Fix: Of a layer: `fc.weight`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x @ x.weight
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
