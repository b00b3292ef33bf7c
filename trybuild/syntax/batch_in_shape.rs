//! An input has an axis for the batch, as in Keras.
//! Fix: `[784]`: shapes are those of one sample.

use netform::prelude::*;

network! {
    pub Net: [None, 784] -> [10] {
        fc: Linear(10),
    }
}

fn main() {}
