//! A recurrent layer gets a vector without positions.
//! Fix: An input of shape `[positions, features]`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [32]) -> [8] {
        let rnn = Lstm(8, last = true);
        rnn(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
