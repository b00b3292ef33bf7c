//! The const item for the features after `Flatten` is wrong.
//! Fix: Leave it to inference: `Linear(10)`.
//! In full in docs/errors.md.

use netform::prelude::*;

const HIDDEN: usize = 128;

network! {
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(HIDDEN -> 10),
    }
}

fn main() {
    let net = Digits::new(Seed(1));
    println!("{}", net.summary());
}
