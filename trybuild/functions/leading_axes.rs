//! Two tensors have different leading axes.
//! Fix: The same leading axes.

use netform::prelude::*;

network! {
    pub fn error(x: [..S, 2], y: [..S]) -> [] {
        square(sum(x) - y)
    }
}

fn main() {
    let (x, y) = (tensor!([[0.5, 1.5], [2.5, 3.5], [0.0, 1.0]]), tensor!([0.5, 1.5]));
    println!("{}", error(&x, &y));
}
