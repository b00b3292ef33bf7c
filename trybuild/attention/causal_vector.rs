//! A causal mask is put on a vector.
//! Fix: Scores of shape `[.., t, t]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        causal(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
