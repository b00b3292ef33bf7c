use netform::prelude::*;

network! {
    pub Digits: u32[16] -> [10] {
        fc1: Linear(10),
    }
}

fn main() {}
