//! A matrix is transposed as in NumPy.
//! Fix: `x.transpose()`.

use netform::prelude::*;

network! {
    pub Net: (x: [4, 8]) -> [4, 4] {
        x @ x.T
    }
}

fn main() {}
