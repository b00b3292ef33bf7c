use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(7 / 2), Relu,
    }
}

fn main() {}
