//! An output's size is a product of generic sizes, beyond what a size can be.
//! Fix: Smaller sizes.

use netform::prelude::*;

network! {
    pub Flat<H, W>: (x: [H, W]) -> [2 * H * W] {
        let both = stack([x, -x], axis = 0);
        both.reshape([2 * H * W])
    }
}

fn main() {
    let _ = Flat::<dim!(900000000000), dim!(4294967296)>::new(Seed(1));
}
