//! A layer is used that netform has not, with arguments that only layers take.
//! Fix: One of the layers of the documentation: `Conv2d(4, kernel = 3, groups = 4)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4, 8, 8] -> [4, 6, 6] {
        conv: DepthwiseConv(kernel = 3), Relu,
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
