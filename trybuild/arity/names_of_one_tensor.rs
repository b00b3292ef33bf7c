//! One tensor is bound to two names.
//! Fix: `relu(x).unstack(0)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [2, 4]) -> [4] {
        let (a, b) = relu(x);
        a + b
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
