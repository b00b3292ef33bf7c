//! A function calls itself.
//! Fix: A `for` loop or `scan`.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [3]) -> [] { distance(x, y) }
}

fn main() {}
