//! A batch is given to a function of one sample.
//! Fix: A function with leading axes, `norm(x: [..S, 3])`, or one sample.
//! In full in docs/errors.md.

use netform::prelude::*;

network! {
    pub fn norm(x: [3]) -> [] {
        sqrt(sum(square(x)))
    }
}

fn main() {
    let x = Tensor::<_>::zeros((Batch(4), D::<3>));
    println!("{}", norm(&x));
}
