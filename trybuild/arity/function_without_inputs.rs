//! A function has no inputs.
//! Fix: Give it at least one.

use netform::prelude::*;

network! {
    pub fn threes() -> [3] { 3 * ones([3]) }
}

fn main() {
    println!("{}", threes());
}
