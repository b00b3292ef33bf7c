//! A generic stride is 0.
//! Fix: At least 1.

use netform::prelude::*;

network! {
    pub Net<S>: [4, 8, 8] {
        conv: Conv2d(4, kernel = 3, stride = S),
    }
}

fn main() {
    let _ = Net::<D<0>>::new(Seed(1));
}
