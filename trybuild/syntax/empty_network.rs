use netform::prelude::*;

network! {
    pub Mlp: [784] -> [10] {
    }
}

fn main() {}
