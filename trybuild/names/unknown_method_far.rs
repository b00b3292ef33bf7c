//! A method is called that is like none.
//! Fix: A method of the documentation.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [2, 2] {
        x.transform()
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
