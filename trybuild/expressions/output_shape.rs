//! A network yields 100 features where 10 are declared.
//! Fix: `Linear(10)`, or declare `[100]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [784]) -> [10] {
        let fc = Linear(100);
        relu(fc(x))
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
