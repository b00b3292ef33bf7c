//! An initialiser is a text, as in Keras.
//! Fix: `init = XavierNormal`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc: Linear(3, init = "glorot_normal"),
    }
}

fn main() {}
