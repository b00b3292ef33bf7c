//! The name of a method is still to be typed.
//! Fix: `x.tanh()`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        let y = x.;
        y
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
