use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        conv1: Conv2d(6, kernel = 5), Relu, MaxPool2d(2),
        conv2: Conv2d(8 -> 16, kernel = 5), Relu,
    }
}

fn main() {}
