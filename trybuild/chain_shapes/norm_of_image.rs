//! A batch norm of vectors gets an image.
//! Fix: `BatchNorm2d`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [3, 8, 8] -> [4, 6, 6] {
        conv: Conv2d(4, kernel = 3), BatchNorm1d, Relu,
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
