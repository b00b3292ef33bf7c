//! A function in a loss is misspelled.
//! Fix: `abs`.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [3]) -> [] { sum(asb(x - y)) }
}

fn main() {}
