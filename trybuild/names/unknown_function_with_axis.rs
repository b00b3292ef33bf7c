//! A function is called that netform has not, with an axis.
//! Fix: One of the functions of the documentation.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        sparsemax(x, axis = -1)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
