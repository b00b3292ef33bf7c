//! A body ends without a value.
//! Fix: The result, without `;`, at the end.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = relu(x);
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
