//! A convolution has the name and the arguments of Keras.
//! Fix: `Conv2d(6, kernel = (3, 3)), Relu`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [1, 28, 28] {
        conv: Conv2D(6, (3, 3), activation = "relu"),
    }
}

fn main() {}
