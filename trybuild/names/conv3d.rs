//! A convolution of volumes is used, which netform has not.
//! Fix: `Conv1d` or `Conv2d`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [1, 28, 28] {
        conv: Conv3d(6, kernel = 3), Relu,
    }
}

fn main() {}
