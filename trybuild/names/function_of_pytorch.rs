//! A function has the name that PyTorch gives it.
//! Fix: `ln`.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub fn entropy(p: [3]) -> [] { -sum(p * log(p)) }
}

fn main() {
    println!("{}", entropy(&tensor!([0.2, 0.3, 0.5])));
}
