//! An input of a loss is misspelled.
//! Fix: `predicted`.

use netform::prelude::*;

network! {
    /// A loss.
    pub fn distance(predicted: [3], target: [3]) -> [] { sum(abs(predictd - target)) }
}

fn main() {}
