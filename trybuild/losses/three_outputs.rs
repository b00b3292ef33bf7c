//! A loss has three outputs.
//! Fix: `-> []`, or `-> ([], [])` with the weight.

use netform::prelude::*;

network! {
    /// A loss with two weights.
    pub fn distance(x: [3], y: [3]) -> ([], [], []) { (sum(abs(x - y)), 1.0, 2.0) }
}

fn main() {}
