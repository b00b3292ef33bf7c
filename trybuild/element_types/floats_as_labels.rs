//! The labels of a loss are floats.
//! Fix: `label: u32[]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (logits: [10], label: []) -> [] {
        cross_entropy(logits, label)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
