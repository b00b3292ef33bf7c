use netform::prelude::*;

const HIDDEN: usize = 400;

network! {
    pub Digits: [64] {
        fc1: Linear(HIDDEN), Relu,
        Reshape([16, 6, 5]),
    }
}

fn main() {}
