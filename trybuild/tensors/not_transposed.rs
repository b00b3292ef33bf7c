//! A vector is transposed.
//! Fix: A matrix of one row: `unsqueeze::<0>()`.

use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 2.0]).transpose();
}
