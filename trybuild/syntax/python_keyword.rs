//! A result is returned with `return`.
//! Fix: The expression alone.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        return relu(x);
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
