//! A recurrent layer is called with 8 and with 16 features.
//! Fix: Two layers, or inputs of the same features.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [5, 8], b: [5, 16]) -> [4] {
        let rnn = Gru(4, last = true);
        rnn(a) + rnn(b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
