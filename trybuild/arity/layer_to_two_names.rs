//! One layer is bound to two names.
//! Fix: One name.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let (a, b) = Linear(4);
        a(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
