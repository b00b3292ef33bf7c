//! A convolution is called with 3 and with 6 channels.
//! Fix: Two convolutions, or inputs of the same channels.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (a: [3, 8, 8], b: [6, 8, 8]) -> [4, 6, 6] {
        let conv = Conv2d(4, kernel = 3);
        conv(a) + conv(b)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
