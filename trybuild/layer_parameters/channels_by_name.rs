//! Channels of a convolution have the names of PyTorch.
//! Fix: `Conv2d(1 -> 6, kernel = 5)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [1, 28, 28] {
        conv: Conv2d(in_channels = 1, out_channels = 6, kernel_size = 5), Relu,
    }
}

fn main() {}
