//! A network of several inputs gives them no names.
//! Fix: `(x: [4], y: [2])`, and an expression.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4], [2] -> [4] {
        fc: Linear(4),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
