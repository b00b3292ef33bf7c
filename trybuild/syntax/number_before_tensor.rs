//! A number stands before a tensor among the inputs of a loss.
//! Fix: Tensors first.

use netform::prelude::*;

network! {
    /// A loss with a setting.
    pub fn distance(x: [3], delta: f32, y: [3]) -> [] { sum(abs(x - delta * y)) }
}

fn main() {}
