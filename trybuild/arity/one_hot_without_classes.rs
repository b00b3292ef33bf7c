//! `one_hot` gets no number of classes.
//! Fix: `one_hot(label, 10)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (label: u32[]) -> [10] {
        one_hot(label)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
