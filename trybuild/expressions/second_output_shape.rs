//! The second output keeps an axis.
//! Fix: Without `keep = true`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> ([10], []) {
        let fc = Linear(10);
        let y = fc(x);
        (y, mean(y, axis = 0, keep = true))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
