//! A network has no inputs.
//! Fix: Give it at least one.

use netform::prelude::*;

network! {
    pub Ones: () -> [3] { ones([3]) }
}

fn main() {
    println!("{:?}", Ones::new(Seed(1)));
}
