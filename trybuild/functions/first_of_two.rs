//! The first of two tensors has the wrong size.
//! Fix: A tensor of 3 elements.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub fn distance(y: [3], t: [3]) -> [] {
        sum(abs(y - t))
    }
}

fn main() {
    let (y, t) = (tensor!([1.0, 2.0]), tensor!([1.0, 2.0, 3.0]));
    println!("{}", distance(&y, &t));
}
