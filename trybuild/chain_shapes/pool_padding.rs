use netform::prelude::*;

network! {
    pub Digits: [1, 28, 28] {
        MaxPool2d(2, padding = 2),
    }
}

fn main() {}
