//! A function halves an axis of three.
//! Fix: A tensor of an even size.

use netform::prelude::*;

network! {
    fn halves<N>(x: [N]) -> [] {
        sum(x[0..N / 2] * x[N / 2..N])
    }
}

fn main() {
    println!("{}", halves(&tensor!([1.0, 2.0, 3.0])));
}
