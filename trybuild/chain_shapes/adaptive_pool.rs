//! An average over equal parts does not divide the image.
//! Fix: A size that divides 7: `AdaptiveAvgPool2d(1)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [6, 7, 7] -> [24] {
        AdaptiveAvgPool2d(2), Flatten,
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
