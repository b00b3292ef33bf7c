//! Two layers are bound to one name.
//! Fix: Two names.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4);
        let y = fc(x);
        let fc = Linear(4);
        fc(y)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
