//! A transposed convolution declares other channels than it gets.
//! Fix: `ConvTranspose2d(8 -> 1, kernel = 2, stride = 2)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [8, 7, 7] -> [1, 14, 14] {
        up: ConvTranspose2d(16 -> 1, kernel = 2, stride = 2),
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
