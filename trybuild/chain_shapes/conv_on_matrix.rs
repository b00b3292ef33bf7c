use netform::prelude::*;

network! {
    pub Digits: [28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5), Relu,
        Flatten, Linear(10),
    }
}

fn main() {}
