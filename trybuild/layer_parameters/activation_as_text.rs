//! An activation is an argument, as in Keras.
//! Fix: A layer of its own: `Linear(16), Relu`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(16, activation = "relu"),
        fc2: Linear(3),
    }
}

fn main() {}
