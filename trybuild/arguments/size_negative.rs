use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(-3), Relu,
    }
}

fn main() {}
