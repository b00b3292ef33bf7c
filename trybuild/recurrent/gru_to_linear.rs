//! The layer behind a recurrent layer declares other features.
//! Fix: `Linear(32 -> 10)`, or `Linear(10)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [16, 8] -> [10] {
        rnn: Gru(32, last = true),
        fc: Linear(64 -> 10),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
