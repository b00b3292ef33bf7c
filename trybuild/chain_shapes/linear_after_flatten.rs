//! The number of features after `Flatten` was computed by hand, and wrongly.
//! Fix: `Linear(10)`, which infers its input, or `Linear(3136 -> 10)`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(16, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(128 -> 10),
    }
}

fn main() {
    let net = Digits::new(Seed(1));
    println!("{}", net.summary());
}
