//! A gradient is taken at a tensor of the wrong shape.
//! Fix: The last axis of `x` has 2 elements.

use netform::prelude::*;

network! {
    pub fn error(x: [..S, 2], y: [..S]) -> [] {
        square(sum(x) - y)
    }
}

fn main() {
    let (x, y) = (tensor!([[0.5], [2.5], [0.0]]), tensor!([0.5, 1.5, 2.5]));
    let (value, (dx, _)) = error::value_and_gradient(&x, &y);
    println!("{value} {:?}", dx + 1.0);
}
