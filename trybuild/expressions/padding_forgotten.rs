//! A convolution without padding makes the image smaller than the skip.
//! Fix: `padding = 1`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [6, 7, 7]) -> [6, 7, 7] {
        let conv = Conv2d(6, kernel = 3);
        relu(conv(x) + x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
