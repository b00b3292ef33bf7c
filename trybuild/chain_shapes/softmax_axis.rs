use netform::prelude::*;

network! {
    pub Digits: [784] {
        fc1: Linear(10), Softmax(axis = 1),
    }
}

fn main() {}
