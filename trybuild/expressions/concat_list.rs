//! A skip connection joins images of different sizes.
//! Fix: `padding = 1, output_padding = 1`, with which the upper path has the size of the input.

use netform::prelude::*;

network! {
    pub Unet: (x: [3, 64, 64]) -> [1, 64, 64] {
        let down = Conv2d(16, kernel = 3, stride = 2, padding = 1);
        let up = ConvTranspose2d(16, kernel = 3, stride = 2, padding = 1);
        let out = Conv2d(1, kernel = 1);
        out(concat([up(relu(down(x))), x], axis = 0))
    }
}

fn main() {}
