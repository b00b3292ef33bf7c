//! `exp` of two values.
//! Fix: One value.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [3]) -> [] { sum(exp(x, y)) }
}

fn main() {}
