//! A function of a vector is called with a matrix.
//! Fix: A tensor of shape `(D<3>,)`.

use netform::prelude::*;

network! {
    /// The length.
    pub fn norm(x: [3]) -> [] {
        sqrt(sum(square(x)))
    }
}

fn main() {
    println!("{}", norm(&tensor!([[1.0, 2.0, 3.0]])));
}
