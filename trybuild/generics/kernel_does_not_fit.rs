//! A network is made for a length shorter than its kernel.
//! Fix: A length of at least 3.

use netform::prelude::*;

network! {
    pub Windows<T>: [1, T] -> [4, T - 2] { conv: Conv1d(4, kernel = 3) }
}

fn main() {
    let _ = Windows::<D<2>>::new(Seed(1));
}
