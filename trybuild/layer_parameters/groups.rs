//! A convolution of 4 groups gets 6 channels.
//! Fix: A number of groups that divides both channels.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 8, 8]) -> [8, 6, 6] {
        let conv = Conv2d(8, kernel = 3, groups = 4);
        conv(x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
