//! A loop binds two names.
//! Fix: `for i in 0..4 { .. }`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x;
        for (i, j) in 0..4 {
            y = relu(y);
        }
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
