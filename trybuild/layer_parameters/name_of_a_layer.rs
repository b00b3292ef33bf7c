//! The name of a layer is an argument, as in Keras.
//! Fix: `fc: Linear(3)`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        Linear(3, name = "fc"),
    }
}

fn main() {}
