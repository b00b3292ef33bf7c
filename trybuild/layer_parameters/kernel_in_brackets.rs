//! A kernel of two sizes is in brackets.
//! Fix: `kernel = (3, 5)`.

use netform::prelude::*;

network! {
    pub Net: [3, 32, 32] {
        conv: Conv2d(16, kernel = [3, 5]), Relu,
    }
}

fn main() {}
