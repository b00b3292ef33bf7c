//! `one_hot` gets a float.
//! Fix: `label: u32[]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (label: []) -> [10] {
        one_hot(label, 10)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
