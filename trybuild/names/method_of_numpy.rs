//! A method has the name that NumPy gives it.
//! Fix: `sqrt(variance(x))`.

use netform::prelude::*;

network! {
    pub fn scaled(x: [3]) -> [3] { x / x.std() }
}

fn main() {
    println!("{}", scaled(&tensor!([1.0, 2.0, 3.0])));
}
