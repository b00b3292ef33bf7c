//! The three results of a recurrent layer are returned as one.
//! Fix: `let (ys, h, c) = rnn(x); ys`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [5, 32]) -> [5, 8] {
        let rnn = Lstm(8);
        rnn(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
