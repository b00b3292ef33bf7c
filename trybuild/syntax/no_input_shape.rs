use netform::prelude::*;

network! {
    pub Mlp { Linear(10) }
}

fn main() {}
