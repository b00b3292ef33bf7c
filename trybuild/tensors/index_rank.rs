//! A matrix is indexed by one number.
//! Fix: `[[0, 0]]`.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]])[[0]];
}
