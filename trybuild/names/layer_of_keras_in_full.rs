//! A layer has the name and the arguments of Keras.
//! Fix: `Linear(16), Relu`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Dense(16, activation = "relu"),
        fc2: Linear(3),
    }
}

fn main() {}
