//! A network has nine outputs.
//! Fix: Concatenate some of them.

use netform::prelude::*;

network! {
    pub Many: (x: [4]) -> ([4], [4], [4], [4], [4], [4], [4], [4], [4]) {
        (x, x, x, x, x, x, x, x, x)
    }
}

fn main() {
    println!("{:?}", Many::new(Seed(1)));
}
