//! A dense layer gets two values.
//! Fix: `fc(concat(x, y))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let fc = Linear(4);
        fc(x, x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
