//! A causal mask is put on scores of more keys than queries.
//! Fix: Scores of one length, or no mask.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4, 5]) -> [4, 5] {
        causal(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
