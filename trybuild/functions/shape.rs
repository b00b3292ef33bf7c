//! A function of 2 elements is called with 3.
//! Fix: A tensor of 2 elements.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub fn rosenbrock(x: [2]) -> [] {
        square(1 - x[0]) + 100 * square(x[1] - square(x[0]))
    }
}

fn main() {
    let x = tensor!([1.0, 2.0, 3.0]);
    println!("{}", rosenbrock(&x));
}
