//! A skip connection adds images of different channels.
//! Fix: A convolution with `kernel = 1` on the skip: `down(x)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 7, 7]) -> [6, 7, 7] {
        let conv = Conv2d(6, kernel = 3, padding = 1);
        relu(conv(x) + x)
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
