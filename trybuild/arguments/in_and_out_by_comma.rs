use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(784, 128), Relu,
    }
}

fn main() {}
