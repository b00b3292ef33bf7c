//! A function is called that is like none.
//! Fix: Declare it, or import it.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        transform(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
