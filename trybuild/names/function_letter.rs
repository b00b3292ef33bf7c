//! A function is called by a letter that printed code uses.
//! Fix: Another name.

use netform::prelude::*;

network! {
    pub fn E(x: [3]) -> [] { sum(square(x)) }
}

fn main() {
    println!("{}", E(&tensor!([1.0, 2.0, 3.0])));
}
