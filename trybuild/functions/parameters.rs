//! A function holds a layer with weights.
//! Fix: Declare a network, or take the weights as inputs.

use netform::prelude::*;

network! {
    /// A function has no parameters.
    pub fn scored(x: [3]) -> [] {
        let fc = Linear(1);
        sum(fc(x))
    }
}

fn main() {
    let _ = scored(&tensor!([1.0, 2.0, 3.0]));
}
