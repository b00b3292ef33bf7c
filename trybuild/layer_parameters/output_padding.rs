//! A transposed convolution adds more points than its stride leaves open.
//! Fix: `output_padding = 1`.

use netform::prelude::*;

network! {
    pub Decoder: [16, 8, 8] {
        up: ConvTranspose2d(8, kernel = 3, stride = 2, padding = 1, output_padding = 2),
    }
}

fn main() {}
