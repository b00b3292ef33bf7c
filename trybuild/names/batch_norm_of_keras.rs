//! A normalisation has the name that Keras has for all shapes.
//! Fix: `BatchNorm1d`.

use netform::prelude::*;

network! {
    /// A network.
    pub Net: [4] -> [3] {
        fc1: Linear(16), BatchNormalization, Relu,
        fc2: Linear(3),
    }
}

fn main() {}
