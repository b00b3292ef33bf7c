//! A loss of one's own yields a vector.
//! Fix: `sum(abs(x - y))` or `mean(..)`.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(x: [3], y: [3]) -> [] { abs(x - y) }
}

fn main() {}
