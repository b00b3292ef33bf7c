//! There are 7 labels for 8 positions.
//! Fix: One label for each row of logits.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (logits: [8, 10], labels: u32[7]) -> [] {
        cross_entropy(logits, labels)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
