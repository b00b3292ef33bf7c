//! `Reshape` has another number of values than the layer before.
//! Fix: Sizes whose product is 400, for example `[16, 5, 5]`.

use netform::prelude::*;

network! {
    pub Digits: [64] {
        fc1: Linear(400), Relu,
        Reshape([16, 6, 5]),
        Conv2d(8, kernel = 3),
    }
}

fn main() {}
