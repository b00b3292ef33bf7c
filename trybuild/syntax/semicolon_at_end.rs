//! The result ends with a semicolon.
//! Fix: Without `;`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        relu(x);
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
