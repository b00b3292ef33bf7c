//! A tensor is given for the number of a loss.
//! Fix: A number.

use netform::prelude::*;

network! {
    /// A loss with a setting.
    pub fn distance(x: [3], y: [3], delta: f32) -> [] { sum(abs(x - delta * y)) }

    /// Another, which gives it several numbers.
    pub fn other(x: [3], y: [3]) -> [] { distance(x, y, delta = x) }
}

fn main() {}
