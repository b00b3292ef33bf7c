use netform::prelude::*;

network! {
    pub Tiny: [784] {
        fc1: Linear(10), Dropout(1.5),
    }
}

fn main() {}
