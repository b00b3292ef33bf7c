//! All states are yielded where the last is declared.
//! Fix: `Gru(8, last = true)`, or `states[-1]`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [16, 4]) -> [8] {
        let rnn = Gru(8);
        let (states, _) = rnn(x);
        states
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
