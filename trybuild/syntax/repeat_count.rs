//! The count of a repeat is a const item.
//! Fix: A number.

use netform::prelude::*;

const DEPTH: usize = 3;

network! {
    /// A network.
    pub Net: (x: [5]) -> [5] {
        let layers = [Linear(5); DEPTH];
        layers(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
