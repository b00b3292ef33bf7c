//! Scores are computed without transposing the keys.
//! Fix: `q @ k.transpose()`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (q: [16, 32], k: [16, 32], v: [16, 32]) -> [16, 32] {
        softmax(q @ k / sqrt(32)) @ v
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
