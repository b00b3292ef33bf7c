//! `reshape` in a function has another number of values than a const item gives.
//! Fix: Sizes whose product is `N`.

use netform::prelude::*;

const N: usize = 5;

network! {
    pub fn squares(x: [N]) -> [] {
        sum(square(x.reshape([2, 2])))
    }
}

fn main() {
    println!("{}", squares(&Tensor::<_>::zeros((D::<5>,))));
}
