//! A convolution has no groups.
//! Fix: `groups = 1`, or leave it out.

use netform::prelude::*;

network! {
    pub Net: [4, 8, 8] {
        conv: Conv2d(4, kernel = 3, groups = 0),
    }
}

fn main() {}
