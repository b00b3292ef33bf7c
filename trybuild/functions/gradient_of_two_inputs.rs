//! The gradient of two vectors of one size is taken at two sizes.
//! Fix: Two vectors of one size.

use netform::prelude::*;

network! {
    pub fn distance<N>(y: [N], t: [N]) -> [] {
        sum(abs(y - t))
    }
}

fn main() {
    let (y, t) = (tensor!([1.0, 2.0, 3.0]), tensor!([1.0, 2.0]));
    let (dy, dt) = distance::gradient(&y, &t);
    println!("{dy} {dt}");
}
