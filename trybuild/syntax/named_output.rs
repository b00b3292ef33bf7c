//! An output has a name.
//! Fix: `-> [4]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> (y: [4]) {
        let fc = Linear(4);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
