//! Between a layer's name and the layer there is no colon.
//! Fix: `fc: Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc Linear(3),
    }
}

fn main() {}
