//! A number for each channel meets images.
//! Fix: `scale.reshape([3, 1, 1])`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: (x: [3, 8, 8]) -> [3, 8, 8] {
        let scale = Param([3]);
        x * scale
    }
}

fn main() {
    let _ = Net::new(Seed(0));
}
