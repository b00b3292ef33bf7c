//! A number is larger than any float.
//! Fix: A smaller one.

use netform::prelude::*;

network! {
    pub fn scaled(x: [3]) -> [3] { 1e400 * x }
}

fn main() {
    println!("{}", scaled(&tensor!([1.0, 2.0, 3.0])));
}
