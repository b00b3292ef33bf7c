//! The size of a function's input is computed, so that no tensor tells `N`.
//! Fix: `x: [N]`, and halves of it in the body.

use netform::prelude::*;

network! {
    pub fn halves<N>(x: [2 * N]) -> [] {
        sum(x[0..N] * x[N..2 * N])
    }
}

fn main() {
    println!("{}", halves(&tensor!([1.0, 2.0, 3.0, 4.0])));
}
