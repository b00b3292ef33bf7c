//! An input of a function is not used.
//! Fix: Remove it, or call it `_target`.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], target: [3]) -> [] {
        sum(square(x))
    }
}

fn main() {}
