//! A layer has the name that PyTorch gives it.
//! Fix: `Gru`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [16, 8] -> [16, 8] {
        rnn: GRU(8),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
