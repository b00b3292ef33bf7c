//! The two inputs of a loss have different sizes.
//! Fix: One size for both.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [4]) -> [] { sum(abs(x - y)) }
}

fn main() {}
