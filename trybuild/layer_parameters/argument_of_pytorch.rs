//! An argument has the name that PyTorch gives it.
//! Fix: `axis`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [4]) -> [4] {
        softmax(x, dim = -1)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
