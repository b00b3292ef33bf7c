//! An axis of 10 is split into 3 parts.
//! Fix: A number of parts that divides 10.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [10]) -> [3] {
        let (a, b, c) = split(x, 3);
        a + b + c
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
