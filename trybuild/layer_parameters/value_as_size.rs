//! A value is used as a size.
//! Fix: A number, a const item, or a generic parameter.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4], n: []) -> [4] {
        let fc = Linear(n);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
