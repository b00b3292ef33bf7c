//! A matrix of 6 elements is reshaped to 8.
//! Fix: A shape of 6 elements.
//! In full in docs/errors.md.

use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).reshape::<(D<4>, D<2>)>();
}
