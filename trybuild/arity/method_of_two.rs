//! The method `exp` gets a value.
//! Fix: `x.exp()`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        x.exp(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
