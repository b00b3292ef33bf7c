//! The colon before the inputs is missing.
//! Fix: `Net: (x: [4])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net(x: [4]) -> [4] {
        let fc = Linear(4);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
