//! A semicolon is missing.
//! Fix: `;` after the statement.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = relu(x)
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
