//! Two outputs are declared, and one is yielded.
//! Fix: A tuple of two.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> ([10], []) {
        let fc = Linear(10);
        fc(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
