//! A Hessian is taken at a vector of the wrong size.
//! Fix: A tensor of 3 elements.

use netform::prelude::*;

network! {
    pub fn norm(x: [3]) -> [] {
        sqrt(sum(square(x)))
    }
}

fn main() {
    let x = tensor!([1.0, 2.0]);
    println!("{}", norm::hessian(&x));
}
