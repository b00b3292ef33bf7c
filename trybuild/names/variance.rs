//! A function has the name that NumPy gives it: the deviation.
//! Fix: `sqrt(variance(x))`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3]) -> [] {
        std(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
