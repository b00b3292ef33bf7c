//! A convolution of one axis gets an image.
//! Fix: `Conv2d`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [1, 28, 28] -> [6, 24, 24] {
        conv: Conv1d(6, kernel = 5),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
